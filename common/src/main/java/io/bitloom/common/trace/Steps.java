package io.bitloom.common.trace;

/** Names of the spans of a prompt's trace, in the order in which it passes them. */
public final class Steps {

  /** Client: from when a prompt was handed to the SDK until its append was acknowledged. */
  public static final String SUBMIT = "submit";

  /** Coordinator: the call's part, checks and the write that makes the prompt durable. */
  public static final String APPEND = "append";

  /** Coordinator: from durable to visible in its bucket. */
  public static final String ENQUEUE = "enqueue";

  /** Coordinator: from waiting to given to a worker. The turn is the fencing token. */
  public static final String LEASE = "lease";

  /** Worker: the batch of a lease, in a trace of its own; the model's name follows. */
  public static final String PROCESS = "process";

  /** Worker: the text encoder. */
  public static final String TEXT = "text";

  /** Worker: the transformer's part for one scale; {@code 1/7} and so on follows. */
  public static final String SCALE = "scale";

  /** Worker: the visual tokenizer. */
  public static final String DECODE = "decode";

  /** Worker: the image files, after the wait for a thread. */
  public static final String ENCODE = "encode";

  /** Worker: image files to the result store, or into the stream to the coordinator. */
  public static final String UPLOAD = "upload";

  /** Coordinator: result store and queue. The turn is 0 for what ends the prompt. */
  public static final String COMMIT = "commit";

  /** Coordinator: to one reader of results. */
  public static final String DELIVER = "deliver";

  private Steps() {}
}
