package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.v1.Job;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(name = "status", description = "Show where a job stands.")
final class StatusCommand implements Callable<Integer> {

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName name;

  @Override
  public Integer call() {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      Job job = client.getJob(name.resource());
      console.emit(JobReport.json(job));
      console.say(console.bold(job.getName()) + "  " + JobReport.state(job));
      facts(job, Instant.now()).forEach((what, fact) -> say(console, what, fact));
      return ExitCode.DONE;
    }
  }

  private static void say(Console console, String what, String fact) {
    if (!fact.isEmpty()) {
      console.say(String.format(Locale.ROOT, "  %-8s  %s", what, fact));
    }
  }

  /** What there is to say of a job; empty where there is nothing. */
  static Map<String, String> facts(Job job, Instant now) {
    JobFacts about = new JobFacts(job, now);
    OptionalDouble speed = about.averageSpeed();
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("name", FieldViolation.shown(job.getDisplayName()));
    facts.put("model", job.getModel());
    facts.put("priority", Integer.toString(job.getPriority()));
    facts.put("labels", about.labels());
    facts.put("prompts", JobReport.counts(job));
    facts.put("images", about.images().replace("/", " of "));
    facts.put(
        "speed", speed.isPresent() ? JobFacts.speed(speed.getAsDouble()) + " since its start" : "");
    facts.put("repeats", job.getReplayOf().isEmpty() ? "" : "the failures of " + job.getReplayOf());
    facts.put(job.hasStartTime() ? "waited" : "waits", about.queueTime());
    facts.put("in line", job.hasQueuePosition() ? place(job.getQueuePosition()) : "");
    facts.put(
        "done at",
        job.hasEstimatedEndTime()
            ? JobReport.time(job.getEstimatedEndTime()) + ", as things stand"
            : "");
    facts.put("expires", job.hasExpireTime() ? JobReport.time(job.getExpireTime()) : "");
    facts.put("webhook", FieldViolation.shown(job.getWebhookUrl()));
    facts.put("told", about.webhook());
    facts.put("created", JobReport.time(job.getCreateTime()));
    facts.put("started", JobReport.time(job.getStartTime()));
    facts.put("ended", JobReport.time(job.getEndTime()));
    return facts;
  }

  private static String place(long ahead) {
    return ahead == 0 ? "next" : "after " + JobReport.plural(ahead, "other job");
  }
}
