package io.bitloom.coordinator.telemetry;

import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.queue.JobTimes;
import io.bitloom.v1.JobState;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** How long those who want pictures wait for them. */
public final class JobMetrics implements JobTimes {

  private static final String STATE = "JOB_STATE_";

  private final Timer firstImage;
  private final Map<JobState, Timer> ended;
  private final Timer generated;
  private final Timer notGenerated;

  public JobMetrics(MeterRegistry registry) {
    this.firstImage =
        Timer.builder("bitloom.job.first.image")
            .description("From the creation of a job to its first image")
            .serviceLevelObjectives(Bounds.QUEUE)
            .register(registry);
    this.ended =
        Arrays.stream(JobState.values())
            .filter(state -> state.name().startsWith(STATE) && JobRecord.terminal(state))
            .collect(
                Collectors.toMap(
                    Function.identity(),
                    state ->
                        Timer.builder("bitloom.job")
                            .description("From the creation of a job to its end")
                            .tag("state", state.name().substring(STATE.length()))
                            .serviceLevelObjectives(Bounds.JOB)
                            .register(registry)));
    Map<String, Timer> generate =
        Stream.of("succeeded", "failed")
            .collect(
                Collectors.toMap(
                    Function.identity(),
                    outcome ->
                        Timer.builder("bitloom.generate")
                            .description("From a Generate call to its image")
                            .tag("outcome", outcome)
                            .serviceLevelObjectives(Bounds.CALLER)
                            .register(registry)));
    this.generated = generate.get("succeeded");
    this.notGenerated = generate.get("failed");
  }

  @Override
  public void firstImage(Duration time) {
    firstImage.record(time);
  }

  @Override
  public void ended(JobState state, Duration time) {
    ended.get(state).record(time);
  }

  /** A caller has its answer; one that went away does not count. */
  public void generated(boolean succeeded, Duration time) {
    (succeeded ? generated : notGenerated).record(time);
  }
}
