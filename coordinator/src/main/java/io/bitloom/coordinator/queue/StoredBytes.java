package io.bitloom.coordinator.queue;

import com.google.protobuf.ByteString;
import java.util.List;

/**
 * How many bytes count as stored. What Redis itself spends counts too, roughly, so that many small
 * things cannot fill it any more than a few large ones.
 */
public final class StoredBytes {

  /** Keys, lists and counts of a job. */
  private static final int JOB = 6 * 1024;

  /** Places of a prompt in its job and its bucket. */
  private static final int PROMPT = 32;

  private StoredBytes() {}

  /** Of a job without prompts. */
  public static long ofJob(ByteString spec) {
    return JOB + spec.size();
  }

  /** Of prompts that wait; their outcomes count when they come. */
  public static long of(List<NewPrompt> prompts) {
    long bytes = 0;
    for (NewPrompt prompt : prompts) {
      bytes += PROMPT + prompt.payload().size();
    }
    return bytes;
  }
}
