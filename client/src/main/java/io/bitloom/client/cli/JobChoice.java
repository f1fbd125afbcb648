package io.bitloom.client.cli;

import io.bitloom.client.output.ImageFolder;
import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which job a file is submitted as: a new one, or that of an earlier attempt. */
final class JobChoice {

  /** Makes another job each time. */
  private static final String NEW = "new";

  private static final int MAX_CHARACTERS = 128;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--resume",
      paramLabel = "JOB",
      converter = JobName.Converter.class,
      description = "Go on with a submission of this file that broke off.")
  private JobName resume;

  @Option(
      names = "--request-id",
      paramLabel = "TEXT",
      description = {
        "A name for this submission; one with the name of an earlier one finds its job.",
        "Default: made of prompts, model, options and name. new: always another job."
      })
  private String requestId;

  /**
   * What is submitted.
   *
   * @param file for messages
   * @param job as it would be created
   * @param model that would draw it, or the default instance
   */
  record Submitted(String file, Job job, Model model, PromptFile.Contents contents) {

    /** The same for the same job and prompts. */
    String requestId() {
      return RequestId.of(job.toBuilder().setModel(model.getName()).build(), contents.digest());
    }
  }

  /**
   * @throws ParameterException if the options cannot be used
   */
  void check() {
    if (requestId == null) {
      return;
    }
    if (resume != null) {
      throw misused("--request-id and --resume are not used together");
    }
    if (requestId.isBlank() || requestId.length() > MAX_CHARACTERS) {
      throw misused("--request-id must be 1 to " + MAX_CHARACTERS + " characters");
    }
    if (requestId.equals(NEW)) {
      requestId = UUID.randomUUID().toString();
    }
  }

  private ParameterException misused(String message) {
    return new ParameterException(command.commandLine(), message);
  }

  /**
   * Refuses a folder that has images of another job.
   *
   * @param out null if there is none
   * @throws IOException if its manifest cannot be read
   */
  void refuseFolder(BitloomClient client, Submitted submitted, Path out) throws IOException {
    Optional<String> there = out == null ? Optional.empty() : ImageFolder.jobOf(out);
    if (there.isPresent() && !isOurs(client, there.get(), requestId(submitted))) {
      throw misused(out + " holds the images of " + there.get() + "; choose another folder");
    }
  }

  private boolean isOurs(BitloomClient client, String job, String requestId) {
    if (resume != null) {
      return job.equals(resume.resource());
    }
    try {
      return client.getJob(job).getRequestId().equals(requestId);
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.JOB_NOT_FOUND) {
        return false;
      }
      throw e;
    }
  }

  /** The name that was chosen for this submission, or another one. */
  String requestIdOr(String other) {
    return requestId == null ? other : requestId;
  }

  private String requestId(Submitted submitted) {
    return requestId == null ? submitted.requestId() : requestId;
  }

  /** The job; says so if an earlier attempt made it. */
  Job job(Console console, BitloomClient client, Submitted submitted) {
    if (resume != null) {
      return client.getJob(resume.resource());
    }
    Job job = create(client, submitted);
    boolean accepting = job.getState() == JobState.JOB_STATE_ACCEPTING;
    if (!accepting || job.getCounts().getAppended() > 0) {
      refuseOtherPrompts(job, submitted);
      console.note(
          submitted.file(),
          "was submitted before as "
              + job.getName()
              + ", "
              + JobReport.state(job.getState())
              + (accepting ? "; sending the rest" : "")
              + " (--request-id=new makes another job)");
    }
    return job;
  }

  private Job create(BitloomClient client, Submitted submitted) {
    String id = requestId(submitted);
    try {
      return client.createJob(submitted.job(), id);
    } catch (BitloomException e) {
      if (e.code() == ErrorCode.REQUEST_ID_REUSED) {
        throw misused(
            "--request-id " + id + " is that of a job with other options; choose another");
      }
      throw e;
    }
  }

  /** Only an id that somebody chose can be that of a job with other prompts. */
  private void refuseOtherPrompts(Job job, Submitted submitted) {
    long there = job.getCounts().getAppended();
    long prompts = submitted.contents().prompts();
    if (there > prompts || job.hasSealTime() && there != prompts) {
      throw misused(
          String.format(
              Locale.ROOT,
              "--request-id is that of %s with %,d prompts, and %s has %,d; choose another",
              job.getName(),
              there,
              submitted.file(),
              prompts));
    }
  }
}
