package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.v1.Job;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
    name = "results",
    description = {
      "Fetch a job's images into a folder; go on where it broke off.",
      "What is on disk is not saved again.",
      "Without --follow it ends after the results there are; if the job goes on,",
      "the exit code is 3."
    })
final class ResultsCommand implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
  private JobName name;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      required = true,
      description = "Folder for the images.")
  private Path out;

  @Option(names = "--follow", description = "Wait until the job is done.")
  private boolean follow;

  @Mixin private ConnectionOptions connection;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() throws IOException {
    Console console = output.console();
    try (BitloomClient client = connection.client()) {
      Job job = client.getJob(name.resource());
      String title = job.getDisplayName().isEmpty() ? job.getName() : job.getDisplayName();
      ShellCommand again =
          ShellCommand.of("results", job.getName())
              .sameOptions(command.commandLine().getParseResult());
      Job fetched;
      try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
        fetched =
            new Download(console, client, out)
                .run(
                    job,
                    follow,
                    title,
                    "model " + job.getModel(),
                    () -> resumeHint.fetches(job.getName(), again));
        resumeHint.done();
      }
      JobReport.conclude(console, fetched);
      return ExitCode.of(fetched);
    }
  }
}
