package io.bitloom.client.cli;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.ErrorEvent;
import io.bitloom.common.cli.GrpcLog;
import io.bitloom.common.cli.Usage;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.common.error.FieldViolation;
import io.bitloom.common.file.FileFaults;
import io.bitloom.common.process.FolderInUseException;
import io.bitloom.common.prompt.PromptFileException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
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
      UpdateCommand.class,
      PromptsCommand.class,
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
      ModelGroup.class,
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
  public static CommandLine commandLine() {
    CommandLine commandLine = Usage.prepare(new CommandLine(new Bitloom()));
    commandLine.getSubcommands().values().forEach(Bitloom::prepare);
    commandLine.setParameterExceptionHandler(Bitloom::misused);
    commandLine.setExecutionExceptionHandler(Bitloom::failed);
    commandLine.setUsageHelpAutoWidth(true);
    return commandLine;
  }

  @Override
  public void run() {
    throw new ParameterException(
        command.commandLine(), "say what to do, for example: demo, up, submit FILE, list");
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
    String name = command.getCommandSpec().qualifiedName();
    String message = Usage.message(e);
    console(command, ErrorEvent.wanted(List.of(args)))
        .complain(
            name + ": " + message + "\n" + Usage.help(command),
            ErrorEvent.of(ErrorEvent.USAGE, message));
    return ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command, ParseResult arguments)
      throws Exception {
    if (ending) {
      return ExitCode.FAILED;
    }
    if (e instanceof BitloomException known) {
      report(command, blamed(known), ErrorEvent.of(known, message(known)));
      return Usage.exitCode(known);
    }
    if (e instanceof PromptFileException) {
      report(command, "", ErrorEvent.of(ErrorEvent.INVALID_FILE, e.getMessage()));
      return ExitCode.USAGE;
    }
    if (e instanceof FolderInUseException) {
      report(command, "", ErrorEvent.of(ErrorEvent.FOLDER_IN_USE, e.getMessage()));
      return ExitCode.USAGE;
    }
    if (e instanceof IOException || e instanceof UncheckedIOException) {
      report(command, "", ErrorEvent.of(ErrorEvent.IO, FileFaults.message(e)));
      return FileFaults.isWrongPath(e) ? ExitCode.USAGE : ExitCode.FAILED;
    }
    throw e;
  }

  /** The field and the value that are to blame, where the message does not say it. */
  private static String blamed(BitloomException e) {
    if (e.violations().isEmpty()) {
      return "";
    }
    FieldViolation violation = e.violations().get(0);
    return message(e).contains(violation.value())
        ? ""
        : " (" + violation.field() + " \"" + violation.value() + "\")";
  }

  private static void report(CommandLine command, String blamed, JsonObject event) {
    console(command, command.getParseResult().hasMatchedOption("--json"))
        .complain("bitloom: " + event.get("message").getAsString() + blamed, event);
  }

  private static Console console(CommandLine command, boolean json) {
    return new Console(command.getOut(), command.getErr(), json, 0, false);
  }

  private static String message(BitloomException e) {
    boolean away = e.code() == ErrorCode.COORDINATOR_UNAVAILABLE;
    return away ? e.getMessage() + "; ./bitloom up starts one" : e.getMessage();
  }
}
