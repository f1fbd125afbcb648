package io.bitloom.worker;

import com.google.gson.JsonObject;
import io.bitloom.common.cli.ErrorEvent;
import io.bitloom.common.cli.GrpcLog;
import io.bitloom.common.cli.Usage;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.file.FileFaults;
import io.bitloom.engine.NativeLibraries;
import io.bitloom.engine.tensor.LibTorchException;
import io.bitloom.engine.tensor.WeightsException;
import io.bitloom.training.data.BadDataException;
import io.bitloom.training.run.RunRefusedException;
import io.bitloom.worker.cli.DemoDataCommand;
import io.bitloom.worker.cli.EvalCommand;
import io.bitloom.worker.cli.GenerateCommand;
import io.bitloom.worker.cli.ModelCommand;
import io.bitloom.worker.cli.QuantizersCommand;
import io.bitloom.worker.cli.TokenizerCommand;
import io.bitloom.worker.cli.WorkerCommand;
import io.bitloom.worker.verify.VerifyCommand;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** The commands that need a model: {@code bitloom worker|generate|verify|model|demo-data}. */
@Command(
    name = "bitloom",
    mixinStandardHelpOptions = true,
    version = "Bitloom worker",
    description = "Commands that need a model.",
    subcommands = {
      WorkerCommand.class,
      GenerateCommand.class,
      VerifyCommand.class,
      ModelCommand.class,
      DemoDataCommand.class,
      QuantizersCommand.class,
      EvalCommand.class,
      TokenizerCommand.class
    })
public final class Main implements Callable<Integer> {
  @Spec private CommandSpec spec;

  public static void main(String[] arguments) {
    GrpcLog.leaveFailuresToTheProgram();
    try {
      NativeLibraries.unpackIntoCache();
    } catch (UncheckedIOException e) {
      System.err.println("bitloom: " + e.getMessage());
      System.exit(CommandLine.ExitCode.SOFTWARE);
    }
    System.exit(commandLine().execute(arguments));
  }

  /** The command line with all commands. */
  public static CommandLine commandLine() {
    return Usage.prepare(new CommandLine(new Main()))
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Main::reportUsage)
        .setExecutionExceptionHandler(Main::report);
  }

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(),
        "say what to do, for example: worker, generate PROMPT, eval, model inspect FILE");
  }

  private static int reportUsage(ParameterException fault, String[] arguments) {
    CommandLine command = fault.getCommandLine();
    say(
        command,
        ErrorEvent.wanted(List.of(arguments)),
        ErrorEvent.of(ErrorEvent.USAGE, Usage.message(fault)),
        Usage.help(command));
    return CommandLine.ExitCode.USAGE;
  }

  /** Faults that the user can act on are one line; anything else comes with its stack trace. */
  private static int report(Exception failure, CommandLine command, ParseResult arguments)
      throws Exception {
    boolean json = ErrorEvent.wanted(arguments.originalArgs());
    if (failure instanceof BitloomException known) {
      say(command, json, ErrorEvent.of(known, known.getMessage()));
      return Usage.exitCode(known);
    }
    if (failure instanceof WeightsException || failure instanceof BadDataException) {
      say(command, json, ErrorEvent.of(ErrorEvent.INVALID_FILE, failure.getMessage()));
      return CommandLine.ExitCode.SOFTWARE;
    }
    if (failure instanceof RunRefusedException || failure instanceof LibTorchException) {
      say(command, json, ErrorEvent.of(ErrorEvent.USAGE, failure.getMessage()));
      return CommandLine.ExitCode.USAGE;
    }
    if (failure instanceof IOException || failure instanceof UncheckedIOException) {
      say(command, json, ErrorEvent.of(ErrorEvent.IO, FileFaults.message(failure)));
      return FileFaults.isWrongPath(failure)
          ? CommandLine.ExitCode.USAGE
          : CommandLine.ExitCode.SOFTWARE;
    }
    throw failure;
  }

  /** On standard output for programs, on standard error for people, who get the hints, too. */
  private static void say(CommandLine command, boolean json, JsonObject event, String... hints) {
    if (json) {
      command.getOut().println(event);
      command.getOut().flush();
      return;
    }
    command.getErr().println("bitloom: " + event.get("message").getAsString());
    List.of(hints).forEach(command.getErr()::println);
  }
}
