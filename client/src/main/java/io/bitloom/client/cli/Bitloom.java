package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.GrpcLog;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.process.FolderInUseException;
import io.bitloom.common.prompt.PromptFileException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** The {@code bitloom} command. */
@Command(
    name = "bitloom",
    mixinStandardHelpOptions = true,
    version = "Bitloom 0.1.0",
    description = "Turns bulk prompt jobs into images.",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      SubmitCommand.class,
      StatusCommand.class,
      WatchCommand.class,
      ResultsCommand.class,
      ListCommand.class,
      CancelCommand.class,
      JobCommands.Pause.class,
      JobCommands.Resume.class,
      JobCommands.Prioritize.class,
      JobCommands.Failures.class,
      JobCommands.Replay.class,
      ExportCommand.class,
      JobCommands.Delete.class,
      AskCommand.class,
      TopCommand.class,
      DoctorCommand.class,
      CompletionCommand.class,
      ManCommand.class,
      RoutedCommands.Coordinator.class,
      RoutedCommands.Worker.class,
      RoutedCommands.Generate.class,
      RoutedCommands.Model.class,
      RoutedCommands.Verify.class,
      RoutedCommands.DemoData.class,
      RoutedCommands.Quantizers.class,
      RoutedCommands.Eval.class,
      RoutedCommands.Tokenizer.class,
      RoutedCommands.Bench.class
    },
    footer = {
      "",
      "Every command has --help. Exit codes: 0 done, 1 failed, 2 usage, 3 partly done."
    })
public final class Bitloom implements Runnable {

  /** Set when the program is being ended: what then goes wrong is of no interest any more. */
  private static volatile boolean ending;

  @Spec private CommandSpec command;

  /** Runs a command and ends the JVM with its exit code. */
  public static void main(String[] args) {
    Runtime.getRuntime().addShutdownHook(new Thread(() -> ending = true, "ending"));
    GrpcLog.leaveFailuresToTheProgram();
    CommandLine commandLine = commandLine();
    commandLine.setOut(writer(FileDescriptor.out));
    commandLine.setErr(writer(FileDescriptor.err));
    System.exit(commandLine.execute(args));
  }

  /** The commands, with their errors mapped to exit codes. */
  static CommandLine commandLine() {
    CommandLine commandLine = new CommandLine(new Bitloom());
    commandLine.getSubcommands().values().forEach(Bitloom::prepare);
    commandLine.setParameterExceptionHandler(Bitloom::misused);
    commandLine.setExecutionExceptionHandler(Bitloom::failed);
    commandLine.setUsageHelpAutoWidth(true);
    return commandLine;
  }

  @Override
  public void run() {
    throw new ParameterException(command.commandLine(), "which command?");
  }

  /** Gives a command its --help, with the options in the order in which they are declared. */
  private static void prepare(CommandLine subcommand) {
    CommandSpec spec = subcommand.getCommandSpec();
    spec.addOption(
        OptionSpec.builder("-h", "--help").usageHelp(true).description("Show this help.").build());
    spec.usageMessage().sortOptions(false).sortSynopsis(false);
    subcommand.getSubcommands().values().forEach(Bitloom::prepare);
  }

  /** UTF-8 whatever the locale says: JSON has to be, and terminals are. */
  private static PrintWriter writer(FileDescriptor descriptor) {
    return new PrintWriter(
        new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8), true);
  }

  private static int misused(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + e.getMessage());
    command.getErr().println("Try './" + command.getCommandSpec().qualifiedName() + " --help'.");
    command.getErr().flush();
    return ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command, ParseResult arguments)
      throws Exception {
    if (ending) {
      return ExitCode.FAILED;
    }
    if (e instanceof BitloomException known) {
      return report(command, known.code().name(), message(known), known.violations());
    }
    if (e instanceof PromptFileException) {
      report(command, "INVALID_FILE", e.getMessage(), List.of());
      return ExitCode.USAGE;
    }
    if (e instanceof FolderInUseException) {
      report(command, "FOLDER_IN_USE", e.getMessage(), List.of());
      return ExitCode.USAGE;
    }
    if (e instanceof IOException || e instanceof UncheckedIOException) {
      return report(command, "IO", message(e), List.of());
    }
    throw e;
  }

  private static int report(
      CommandLine command, String code, String message, List<FieldViolation> violations) {
    JsonObject event = new JsonObject();
    event.addProperty("event", "error");
    event.addProperty("code", code);
    event.addProperty("message", message);
    String blamed = "";
    if (!violations.isEmpty()) {
      FieldViolation violation = violations.get(0);
      event.addProperty("field", violation.field());
      event.addProperty("value", violation.value());
      boolean saysIt = message.contains(violation.value());
      blamed = saysIt ? "" : " (" + violation.field() + " \"" + violation.value() + "\")";
    }
    boolean json = command.getParseResult().hasMatchedOption("--json");
    new Console(command.getOut(), command.getErr(), json, 0, false)
        .complain("bitloom: " + message + blamed, event);
    return ExitCode.FAILED;
  }

  private static String message(BitloomException e) {
    boolean away = e.code() == ErrorCode.COORDINATOR_UNAVAILABLE;
    return away ? e.getMessage() + "; ./bitloom up starts one" : e.getMessage();
  }

  private static String message(Exception e) {
    Throwable cause = e instanceof UncheckedIOException ? e.getCause() : e;
    return cause instanceof FileSystemException
        ? cause.getClass().getSimpleName().replace("Exception", "") + ": " + cause.getMessage()
        : cause.getMessage();
  }
}
