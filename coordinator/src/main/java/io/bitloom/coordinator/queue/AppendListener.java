package io.bitloom.coordinator.queue;

/** Is told how far an append is, before it is done as a whole. */
public interface AppendListener {

  /** Does not care. */
  AppendListener NONE = (offset, prompts) -> {};

  /**
   * Prompts of the append are durable, and on their way to their buckets. Those that the job had
   * before are not among them.
   *
   * @param offset of the first one
   * @param prompts how many, one behind the other
   */
  void durable(long offset, int prompts);
}
