package io.bitloom.client.cli;

import io.bitloom.client.sdk.BitloomClient;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.v1.Job;
import io.bitloom.v1.JobState;
import io.bitloom.v1.Model;
import java.io.IOException;
import java.util.List;
import java.util.UUID;

/** Checks a prompt file and sends it as one job. */
final class JobSubmission {

  /** Prompts of a job whose submission takes long enough to be watched. */
  private static final long LONG = 100_000;

  private final Console console;
  private final PromptFile file;

  JobSubmission(Console console, PromptFile file) {
    this.console = console;
    this.file = file;
  }

  /**
   * The model that a job would be drawn by.
   *
   * @param name empty for the only one there is
   * @return the default instance if it cannot be told; the coordinator then decides
   * @throws BitloomException if there are models and none has the name
   */
  static Model model(List<Model> models, String name) {
    if (models.isEmpty() || name.isEmpty()) {
      return models.size() == 1 ? models.get(0) : Model.getDefaultInstance();
    }
    return models.stream()
        .filter(model -> model.getName().equals(name))
        .findFirst()
        .orElseThrow(() -> unknown(name, models));
  }

  private static BitloomException unknown(String name, List<Model> models) {
    List<String> names = models.stream().map(Model::getName).toList();
    return new BitloomException(
        ErrorCode.MODEL_NOT_FOUND,
        "there is no model \"" + name + "\"; there is: " + String.join(", ", names),
        "model",
        name);
  }

  /** Reads the file, reports its bad lines by file and number, and what was done to read it. */
  PromptFile.Contents check() throws IOException {
    return file.contents(new PromptFileReport(console));
  }

  /** Creates an empty job. */
  static Job create(BitloomClient client, Job job) {
    return client.createJob(job, UUID.randomUUID().toString());
  }

  /**
   * Sends what the job does not have yet and seals it.
   *
   * @param prompts number of good prompts that the check found
   * @throws BitloomException if the file changed since the check; the job is cancelled
   */
  Job send(BitloomClient client, Job job, long prompts) throws IOException {
    if (job.getState() != JobState.JOB_STATE_ACCEPTING) {
      return job;
    }
    long sent = job.getCounts().getAppended();
    JobProgress progress =
        new JobProgress(console, "submit", job.getName(), prompts, sent, 0, System::nanoTime);
    try (Pulse pulse = Pulse.ofSubmission(client, progress);
        PromptFile.Reading reading = file.read().skip(sent)) {
      sent =
          client.append(
              job.getName(),
              sent,
              reading,
              acknowledged -> showIfLong(progress, acknowledged, prompts));
    }
    if (sent != prompts) {
      client.cancel(job.getName());
      throw new BitloomException(
          ErrorCode.PROMPT_COUNT_MISMATCH,
          file.name() + " changed while it was sent; " + job.getName() + " is cancelled");
    }
    return client.seal(job.getName(), prompts);
  }

  private static void showIfLong(JobProgress progress, long sent, long prompts) {
    if (prompts >= LONG) {
      progress.update(sent, 0, 0, 0);
    }
  }
}
