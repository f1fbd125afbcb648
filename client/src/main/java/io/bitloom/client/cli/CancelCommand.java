package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

@Command(
    name = "cancel",
    description = {
      "Stop a job; results so far stay.",
      "What is being drawn is finished, nothing new is started."
    })
final class CancelCommand implements Callable<Integer> {

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName job;

  @Override
  public Integer call() {
    try (BitloomClient client = connection.client()) {
      JobReport.conclude(output.console(), client.cancel(job.resource()));
      return ExitCode.DONE;
    }
  }
}
