package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import java.nio.file.Path;

/**
 * Says how to come back to a job when the program ends before the job does: after Ctrl-C, and when
 * the coordinator stays away.
 */
final class ComeBack implements AutoCloseable {

  private final Console console;
  private final String job;
  private final Thread onExit = new Thread(this::say, "come-back");
  private volatile String state;
  private volatile String command;
  private volatile String event = "interrupted";
  private boolean done;

  private ComeBack(Console console, String job, String state, String command) {
    this.console = console;
    this.job = job;
    this.state = state;
    this.command = command;
    Runtime.getRuntime().addShutdownHook(onExit);
  }

  /**
   * The prompts of a file are being sent.
   *
   * @param inputFormat of the file, or null to go by its name
   * @param out folder for the images, or null
   */
  static ComeBack toSubmit(Console console, String job, Path file, String inputFormat, Path out) {
    String format = inputFormat == null ? "" : " --input-format " + inputFormat;
    String command = "./bitloom submit " + file + format + " --resume " + job + folder(out);
    return new ComeBack(console, job, " does not have all its prompts yet. Go on with:", command);
  }

  /**
   * The job has all its prompts.
   *
   * @param out folder for the images; null if they are not fetched
   */
  static ComeBack toFollow(Console console, String job, Path out) {
    ComeBack comeBack = new ComeBack(console, job, "", "");
    comeBack.allIsSent(out);
    return comeBack;
  }

  /**
   * The job has all its prompts: it goes on without this program.
   *
   * @param out folder for the images; null if they are not fetched
   */
  void allIsSent(Path out) {
    state = " goes on. Come back with:";
    command =
        out == null
            ? "./bitloom watch " + job
            : "./bitloom results " + job + folder(out) + " --follow";
  }

  private static String folder(Path out) {
    return out == null ? "" : " --out " + out;
  }

  /** The program did what it was to do; there is nothing to come back for. */
  void done() {
    done = true;
  }

  /** The program was asked to leave the job alone. */
  void left() {
    event = "submitted";
  }

  private void say() {
    JsonObject said = new JsonObject();
    said.addProperty("event", event);
    said.addProperty("job", job);
    said.addProperty("come_back", command);
    console.complain(job + state + "\n  " + command, said);
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(onExit);
      if (!done) {
        say();
      }
    } catch (IllegalStateException e) {
      // The program is being ended, and the hook says it.
    }
  }
}
