package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "cancel",
    description = {
      "Stop a job; results so far stay.",
      "What is being drawn is finished, nothing new is started.",
      "A job that has ended otherwise is left as it is; the exit code is 2 then."
    })
final class CancelCommand implements Callable<Integer> {

  private static final Set<JobState> STOPPED =
      Set.of(JobState.JOB_STATE_CANCELLING, JobState.JOB_STATE_CANCELLED);

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName job;

  @Override
  public Integer call() {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      JobState before = client.getJob(job.resource()).getState();
      Job cancelled = client.cancel(job.resource());
      JobReport.conclude(console, cancelled);
      if (STOPPED.contains(before)) {
        console.say("It was cancelled before.");
      }
      if (STOPPED.contains(cancelled.getState())) {
        return ExitCode.DONE;
      }
      console.say("There was nothing to cancel, the job had ended.");
      return ExitCode.USAGE;
    }
  }
}
