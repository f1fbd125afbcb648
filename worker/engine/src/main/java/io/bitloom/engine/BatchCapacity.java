package io.bitloom.engine;

import io.bitloom.common.schedule.ScaleSchedule;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many images of a schedule make one batch: an estimate at first, less after the device ran out
 * of memory.
 */
public final class BatchCapacity {
  private static final Logger log = LoggerFactory.getLogger(BatchCapacity.class);

  private final ToIntFunction<ScaleSchedule> estimate;
  private final Map<ScaleSchedule, Integer> learned = new ConcurrentHashMap<>();
  private final Set<ScaleSchedule> warm = ConcurrentHashMap.newKeySet();
  private volatile Consumer<ScaleSchedule> changed = schedule -> {};

  /**
   * @param estimate images of a schedule that are thought to fit, at least 1
   */
  public BatchCapacity(ToIntFunction<ScaleSchedule> estimate) {
    this.estimate = estimate;
  }

  /** Images that fit into one batch. */
  public int maxImages(ScaleSchedule schedule) {
    return learned.computeIfAbsent(schedule, estimate::applyAsInt);
  }

  /** Whether a batch of the schedule has been drawn, so that what it needs is cached. */
  public boolean isWarm(ScaleSchedule schedule) {
    return warm.contains(schedule);
  }

  /** Calls back, on the device thread, when a schedule's limit or warmth changes. */
  public void onChange(Consumer<ScaleSchedule> changed) {
    this.changed = changed;
  }

  /** A batch of the schedule went through. */
  void drawn(ScaleSchedule schedule) {
    if (warm.add(schedule)) {
      changed.accept(schedule);
    }
  }

  /** A batch of more than one image ran out of memory: half of it is the limit from now on. */
  void exhausted(ScaleSchedule schedule, int images) {
    int limit = Math.max(1, Math.min(maxImages(schedule), images / 2));
    log.warn(
        "{} images of {} do not fit into memory, the limit is now {}", images, schedule, limit);
    learned.put(schedule, limit);
    changed.accept(schedule);
  }

  /**
   * Whether memory ran out, on the device or in the JVM. libtorch has one exception class for
   * everything in Java, so its text decides: {@code CUDA out of memory} on GPUs, {@code
   * DefaultCPUAllocator: not enough memory} or {@code can't allocate memory} on CPUs, {@code
   * std::bad_alloc} from C++.
   */
  static boolean isExhaustion(Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof OutOfMemoryError || saysExhaustion(cause.getMessage())) {
        return true;
      }
    }
    return false;
  }

  private static boolean saysExhaustion(String message) {
    if (message == null) {
      return false;
    }
    String text = message.toLowerCase(Locale.ROOT);
    return text.contains("out of memory")
        || text.contains("not enough memory")
        || text.contains("can't allocate memory")
        || text.contains("bad_alloc");
  }
}
