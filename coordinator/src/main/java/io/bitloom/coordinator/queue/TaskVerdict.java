package io.bitloom.coordinator.queue;

/** What became of an outcome or a failure that was reported for a prompt. */
public enum TaskVerdict {
  /** It is the prompt's one visible outcome. */
  COMMITTED,
  /** The failure is forgotten; the prompt waits for its next attempt. */
  RETRIED,
  /** The lease is no longer the prompt's, or the prompt has an outcome; nothing changed. */
  SUPERSEDED
}
