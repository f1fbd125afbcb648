package io.bitloom.coordinator.queue;

import io.bitloom.v1.JobState;
import java.time.Duration;

/**
 * Hears how long jobs take, by the clock of Redis. Each is said once, by the coordinator that saw
 * it; what broke off at that moment may go unsaid.
 */
public interface JobTimes {

  /**
   * A job has its first image; of one that is kept in several parts, its first part.
   *
   * @param time since the job was created
   */
  void firstImage(Duration time);

  /**
   * A job has ended.
   *
   * @param time since it was created
   */
  void ended(JobState state, Duration time);

  /** Listens to nothing. */
  JobTimes UNHEARD =
      new JobTimes() {
        @Override
        public void firstImage(Duration time) {}

        @Override
        public void ended(JobState state, Duration time) {}
      };
}
