package io.bitloom.client.cli;

import com.google.gson.JsonObject;

/**
 * Says how to come back to a job when the program ends before the job does: after Ctrl-C, and when
 * the coordinator stays away.
 */
final class ResumeHint implements AutoCloseable {

  /** What there is to say. */
  private record Hint(String job, String state, ShellCommand command) {}

  private final Console console;
  private final Thread onExit = new Thread(this::say, "come-back");
  private volatile Hint hint; // null while there is nothing to say
  private volatile String event = "interrupted";

  private ResumeHint(Console console, Hint hint) {
    this.console = console;
    this.hint = hint;
    Runtime.getRuntime().addShutdownHook(onExit);
  }

  /** There is nothing to come back to yet. */
  static ResumeHint notYet(Console console) {
    return new ResumeHint(console, null);
  }

  /**
   * The prompts of a file are being sent.
   *
   * @param command goes on with that
   */
  void submits(String job, ShellCommand command) {
    hint = new Hint(job, " does not have all its prompts yet. Go on with:", command);
  }

  /**
   * The job has all its prompts.
   *
   * @param command follows it
   */
  static ResumeHint toFollow(Console console, String job, ShellCommand command) {
    ResumeHint resumeHint = new ResumeHint(console, null);
    resumeHint.allIsSent(job, command);
    return resumeHint;
  }

  /**
   * A job's images are being fetched.
   *
   * @param command fetches the rest
   */
  void fetches(String job, ShellCommand command) {
    hint = new Hint(job, " is not all here. Fetch the rest with:", command);
  }

  /**
   * The job has all its prompts: it goes on without this program.
   *
   * @param follow follows it
   */
  void allIsSent(String job, ShellCommand follow) {
    hint = new Hint(job, " goes on. Come back with:", follow);
  }

  /** The program did what it was to do; there is nothing to come back for. */
  void done() {
    hint = null;
  }

  /** The program was asked to leave the job alone. */
  void left() {
    event = "submitted";
  }

  private void say() {
    Hint last = hint;
    if (last == null) {
      return;
    }
    JsonObject said = new JsonObject();
    said.addProperty("event", event);
    said.addProperty("job", last.job());
    said.addProperty("come_back", last.command().toString());
    console.complain(last.job() + last.state() + "\n  " + last.command(), said);
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
      say();
    } catch (IllegalStateException e) {
      // The program is being ended, and the hook says it.
    }
  }
}
