package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
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
      if (!job.getDisplayName().isEmpty()) {
        console.say("  name     " + job.getDisplayName());
      }
      console.say("  model    " + job.getModel());
      console.say("  prompts  " + JobReport.counts(job.getCounts()));
      if (!job.getReplayOf().isEmpty()) {
        console.say("  repeats  the failures of " + job.getReplayOf());
      }
      if (job.hasQueuePosition()) {
        console.say(
            "  in line  "
                + (job.getQueuePosition() == 0
                    ? "next"
                    : "after " + JobReport.plural(job.getQueuePosition(), "other job")));
      }
      if (job.hasEstimatedEndTime()) {
        console.say(
            "  done at  " + JobReport.time(job.getEstimatedEndTime()) + ", as things stand");
      }
      if (job.hasExpireTime()) {
        console.say("  expires  " + JobReport.time(job.getExpireTime()));
      }
      console.say("  created  " + JobReport.time(job.getCreateTime()));
      console.say("  started  " + JobReport.time(job.getStartTime()));
      console.say("  ended    " + JobReport.time(job.getEndTime()));
      return ExitCode.DONE;
    }
  }
}
