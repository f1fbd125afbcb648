package io.bitloom.engine.tensor;

/**
 * How often a thread took values from Java's memory to another device and back, which a GPU waits
 * for: an upload until it is copied, a read until everything that was queued is computed. Between
 * two scales of an image there should be none of either.
 *
 * <p>{@link Tensors} is the only way to and from a device, so it counts them.
 */
public final class Transfers {
  private static final ThreadLocal<Transfers> OF_THREAD = ThreadLocal.withInitial(Transfers::new);

  private long uploads;
  private long reads;

  private Transfers() {}

  /** Those of the current thread, since it began. */
  public static Transfers ofThread() {
    return OF_THREAD.get();
  }

  /** Tensors that were moved from the CPU to another device. */
  public long uploads() {
    return uploads;
  }

  /** Tensors whose values were read from another device. */
  public long reads() {
    return reads;
  }

  void countUpload() {
    uploads++;
  }

  void countRead() {
    reads++;
  }
}
