package io.bitloom.coordinator.chores;

import com.google.protobuf.InvalidProtocolBufferException;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.config.InputConfig;
import io.bitloom.coordinator.jobs.InputRules;
import io.bitloom.coordinator.jobs.PromptIntake;
import io.bitloom.coordinator.jobs.Submissions;
import io.bitloom.coordinator.queue.Chores;
import io.bitloom.coordinator.queue.JobQueue;
import io.bitloom.coordinator.queue.JobRecord;
import io.bitloom.coordinator.s3.S3Clients;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobInput;
import io.bitloom.v1.JobInputProgress;
import io.bitloom.v1.JobState;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import software.amazon.awssdk.services.s3.S3Client;

/** Reads the objects that jobs name as their prompts, some at a time. */
public final class ObjectJobs implements AutoCloseable {

  /** Each has a range of its object in memory, and an index of its ids. */
  private static final int AT_ONCE = 2;

  private final JobQueue queue;
  private final Submissions submissions;
  private final Tenants tenants;
  private final InputRules rules;
  private final S3Client s3;
  private final ChoreLoop loop;

  /**
   * Begins to look for jobs.
   *
   * @param config open
   * @param lasts how long a claim holds that is not renewed
   * @throws io.bitloom.common.config.ConfigException if S3 cannot be used as it is set
   */
  public ObjectJobs(
      InputConfig config,
      JobQueue queue,
      Submissions submissions,
      Tenants tenants,
      InputRules rules,
      Duration lasts,
      ScheduledExecutorService timer) {
    this.queue = queue;
    this.submissions = submissions;
    this.tenants = tenants;
    this.rules = rules;
    this.s3 = S3Clients.client(config.server());
    this.loop = new ChoreLoop(queue.chores(), Chores.Kind.INPUT, AT_ONCE, lasts, timer, this::read);
    submissions.onInput(loop::look);
  }

  private void read(Hold hold) {
    job(hold); // of one that is gone nothing can be begun
    Chores.Progress begun =
        hold.patiently(() -> queue.chores().begin(hold.claim()), ignored -> {})
            .orElseThrow(hold::lost);
    JobRecord job = job(hold); // nothing is noted any more that this does not have
    InputPlace from = InputPlace.parse(begun.place());
    if (from.prompts() > job.counts().appended()) {
      from = InputPlace.append(from.tag(), from.total()); // Redis lost appends
    }
    InputTelling telling = new InputTelling(queue.chores(), hold, from, told(begun));
    if (!takesPrompts(job)) {
      telling.endIf(job.sealTime().isPresent()); // whoever sealed it may have died before that
      return;
    }
    JobInput input = submissions.inputOf(job);
    try (PromptIntake intake =
        hold.patiently(
            () -> submissions.intake(tenants.tenant(job.tenant()), job), telling::obstacle)) {
      new InputReading(hold, s3, rules, queue.jobs(), job, input, intake, telling).run(from);
    }
  }

  private JobRecord job(Hold hold) {
    return hold.patiently(() -> queue.jobs().get(hold.jobId()), ignored -> {});
  }

  private static boolean takesPrompts(JobRecord job) {
    return takesPrompts(job.state()) && job.sealTime().isEmpty();
  }

  static boolean takesPrompts(JobState state) {
    return state == JobState.JOB_STATE_ACCEPTING || state == JobState.JOB_STATE_PAUSED;
  }

  private static JobInputProgress told(Chores.Progress begun) {
    try {
      return begun.told().isEmpty()
          ? JobInputProgress.getDefaultInstance()
          : Job.parseFrom(begun.told().get()).getInputProgress();
    } catch (InvalidProtocolBufferException e) {
      throw new UncheckedIOException("what was told of an object is broken", e);
    }
  }

  @Override
  public void close() {
    loop.close();
    s3.close();
  }
}
