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
  private final Path file;
  private final Path out;
  private final Thread onExit = new Thread(this::say, "come-back");
  private volatile boolean sent;
  private boolean done;

  /**
   * @param file the prompts that are being sent
   * @param out folder for the images, or null
   */
  ComeBack(Console console, String job, Path file, Path out) {
    this.console = console;
    this.job = job;
    this.file = file;
    this.out = out;
    Runtime.getRuntime().addShutdownHook(onExit);
  }

  /** The job has all its prompts: it goes on without this program. */
  void allIsSent() {
    sent = true;
  }

  /** The program did what it was to do; there is nothing to come back for. */
  void done() {
    done = true;
  }

  private void say() {
    String folder = out == null ? "" : " --out " + out;
    String command;
    String message;
    if (!sent) {
      command = "./bitloom submit " + file + " --resume " + job + folder;
      message = job + " does not have all its prompts yet. Go on with:";
    } else if (out == null) {
      command = "./bitloom watch " + job;
      message = job + " goes on. Come back with:";
    } else {
      command = "./bitloom results " + job + folder + " --follow";
      message = job + " goes on. Come back with:";
    }
    JsonObject event = new JsonObject();
    event.addProperty("event", "interrupted");
    event.addProperty("job", job);
    event.addProperty("come_back", command);
    console.complain(message + "\n  " + command, event);
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
