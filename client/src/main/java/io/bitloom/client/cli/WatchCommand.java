package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "watch",
    description = {
      "Follow a job until it is done.",
      "Ctrl-C leaves the job running; the last line says how to come back."
    })
final class WatchCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName job;

  @Override
  public Integer call() {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      Job ended = client.getJob(job.resource());
      ShellCommand follow =
          ShellCommand.of("watch", ended.getName())
              .sameOptions(command.commandLine().getParseResult());
      try (ResumeHint resumeHint = ResumeHint.toFollow(console, ended.getName(), follow)) {
        ended = Watch.until(console, client, job.resource());
        resumeHint.done();
      }
      JobReport.conclude(console, ended);
      return ExitCode.of(ended);
    }
  }
}
