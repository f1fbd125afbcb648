package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.ErrorEvent;
import io.bitloom.v1.Job;
import java.io.IOException;
import java.nio.file.Path;

/** Submits an object with prompts as one job, and fetches its images. */
final class ObjectSubmission {

  private final Console console;
  private final BitloomClient client;
  private final Path out; // null if there is none

  ObjectSubmission(Console console, BitloomClient client, Path out) {
    this.console = console;
    this.client = client;
    this.out = out;
  }

  /**
   * Submits a job.
   *
   * @param job with its input
   * @param requestId of this submission
   * @param follow how to come back, but for the job's name and the options of the connection
   * @param noWait whether to return as soon as there is a job
   * @return exit code
   */
  int run(Job job, String requestId, ShellCommands follow, boolean noWait) throws IOException {
    try (ResumeHint resumeHint = ResumeHint.notYet(console)) {
      Job now = client.createJob(job, requestId);
      resumeHint.allIsSent(now.getName(), follow.of(now.getName()));
      console.say(console.bold(now.getName()) + "  from " + now.getInput().getUri());
      if (noWait) {
        resumeHint.left();
        return ExitCode.DONE;
      }
      now = new ObjectInput(console, client).await(now);
      if (ObjectInput.refused(console, now)) {
        String problem = now.getInputProgress().getError();
        resumeHint.done();
        console.complain(problem, ErrorEvent.of(ErrorEvent.INVALID_FILE, problem));
        return ExitCode.USAGE;
      }
      now =
          out == null
              ? Watch.until(console, client, now.getName())
              : new Download(console, client, out).run(now, true, title(now), now.getModel());
      resumeHint.done();
      JobReport.conclude(console, now);
      return ExitCode.of(now);
    }
  }

  private static String title(Job job) {
    return job.getDisplayName().isEmpty() ? job.getName() : job.getDisplayName();
  }

  /** Makes the command that follows a job. */
  interface ShellCommands {
    ShellCommand of(String job);
  }
}
