package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.cli.Range;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.v1.FailedPrompt;
import io.bitloom.v1.Job;
import java.util.Iterator;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands that do one thing to one job. */
final class JobCommands {

  private JobCommands() {}

  /** A command about a job. */
  abstract static class OfJob implements Callable<Integer> {

    @Mixin private ConnectionOptions connection;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "JOB", converter = JobName.Converter.class, description = "The job.")
    private JobName job;

    /** Does it, and returns the exit code. */
    abstract int run(Console console, BitloomClient client, String job);

    @Override
    public Integer call() {
      try (BitloomClient client = connection.client()) {
        return run(output.console(), client, job.resource());
      }
    }
  }

  @Command(
      name = "pause",
      description = {
        "Let no more prompts of a job be drawn until it is resumed.",
        "What is being drawn is finished."
      })
  static final class Pause extends OfJob {
    @Override
    int run(Console console, BitloomClient client, String job) {
      JobReport.conclude(console, client.pause(job));
      return ExitCode.DONE;
    }
  }

  @Command(name = "resume", description = "Let a paused job go on.")
  static final class Resume extends OfJob {
    @Override
    int run(Console console, BitloomClient client, String job) {
      JobReport.conclude(console, client.resume(job));
      return ExitCode.DONE;
    }
  }

  @Command(name = "prioritize", description = "Give a job another priority.")
  static final class Prioritize extends OfJob {

    @Parameters(index = "1", paramLabel = "N", description = "0 (last) to 9 (first).")
    @Range(min = 0, max = 9)
    private int priority;

    @Override
    int run(Console console, BitloomClient client, String job) {
      Job changed = client.prioritize(job, priority);
      JobReport.conclude(console, changed);
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "replay",
      description = {
        "Make a new job of the prompts of a job that failed.",
        "The old job stays as it is. Repeated, the command finds the new job again."
      })
  static final class Replay extends OfJob {

    @Spec private CommandSpec command;

    @Option(names = "--cancelled", description = "What was cancelled or expired, too.")
    private boolean cancelled;

    @Override
    int run(Console console, BitloomClient client, String job) {
      Job again = client.replay(job, cancelled);
      JobReport.conclude(console, again);
      ShellCommand fetch =
          ShellCommand.of("results", again.getName())
              .with("--follow")
              .sameCoordinator(command.commandLine().getParseResult());
      console.say(
          "Fetch its images, into the folder of "
              + job
              + " to fill the gaps there:\n  "
              + fetch
              + " --out DIR");
      return ExitCode.DONE;
    }
  }

  @Command(
      name = "delete",
      description = "Delete a job that has ended, with its images on the coordinator.")
  static final class Delete extends OfJob {
    @Override
    int run(Console console, BitloomClient client, String job) {
      client.delete(job);
      JsonObject event = new JsonObject();
      event.addProperty("event", "deleted");
      event.addProperty("job", job);
      console.emit(event);
      console.say(job + " is deleted");
      return ExitCode.DONE;
    }
  }

  @Command(name = "failures", description = "List the prompts of a job that failed, and why.")
  static final class Failures extends OfJob {
    @Override
    int run(Console console, BitloomClient client, String job) {
      Iterator<FailedPrompt> failures = client.listFailures(job);
      if (!failures.hasNext()) {
        console.say("no failures");
      }
      while (failures.hasNext()) {
        FailedPrompt failed = failures.next();
        JsonObject event = new JsonObject();
        event.addProperty("event", "failure");
        event.addProperty("custom_id", failed.getCustomId());
        event.addProperty("offset", failed.getOffset());
        event.addProperty("reason", failed.getFailure().getReason());
        event.addProperty("message", failed.getFailure().getMessage());
        event.addProperty("attempts", failed.getFailure().getAttempts());
        console.emit(event);
        console.say(
            String.format(
                Locale.ROOT,
                "%s  %s  %s, %s",
                FieldViolation.shown(failed.getCustomId()),
                failed.getFailure().getReason(),
                FieldViolation.shown(failed.getFailure().getMessage()),
                JobReport.plural(failed.getFailure().getAttempts(), "attempt")));
      }
      return ExitCode.DONE;
    }
  }
}
