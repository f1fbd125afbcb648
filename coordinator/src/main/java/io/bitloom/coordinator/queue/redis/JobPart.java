package io.bitloom.coordinator.queue.redis;

/**
 * A part of a job, which Redis keeps like a job of its own, under its {@link #id}. The first one is
 * the job itself: it has all that is said of the job as a whole, and its state.
 *
 * @param number from 0 on
 * @param of how many parts the job has; not known of the first
 */
public record JobPart(String jobId, int number, int of) {

  /** No id of a job has it. */
  private static final char SEPARATOR = '/';

  static JobPart first(String jobId) {
    return new JobPart(jobId, 0, 0);
  }

  /** Reads {@link #id}. */
  public static JobPart parse(String id) {
    int at = id.indexOf(SEPARATOR);
    if (at < 0) {
      return first(id);
    }
    int dot = id.indexOf('.', at);
    return new JobPart(
        id.substring(0, at),
        Integer.parseInt(id.substring(at + 1, dot)),
        Integer.parseInt(id.substring(dot + 1)));
  }

  public String id() {
    return number == 0 ? jobId : jobId + SEPARATOR + number + "." + of;
  }
}
