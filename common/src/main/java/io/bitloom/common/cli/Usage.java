package io.bitloom.common.cli;

import io.bitloom.common.error.BitloomException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** What all programs do with a command line, and how they say what is wrong with one. */
public final class Usage {

  private Usage() {}

  /**
   * Lets a program, with its subcommands, check its {@link OptionRule}s and {@link Range}s before
   * anything is done, and say of numbers in plain words what they have to be. What made the
   * initialiser of a class fail is reported as if it had been thrown by the command.
   */
  public static CommandLine prepare(CommandLine program) {
    register(program, int.class, Integer.class, "a whole number", Integer::valueOf);
    register(program, long.class, Long.class, "a whole number", Long::valueOf);
    register(program, double.class, Double.class, "a number", Double::valueOf);
    return program.setExecutionStrategy(
        arguments -> {
          OptionChecks.check(arguments);
          try {
            return new RunLast().execute(arguments);
          } catch (ExceptionInInitializerError e) {
            throw new ExecutionException(
                arguments.commandSpec().commandLine(), "a class cannot be used", e.getCause());
          }
        });
  }

  private static <T> void register(
      CommandLine program, Class<T> one, Class<T> boxed, String kind, Function<String, T> reading) {
    ITypeConverter<T> converter =
        text -> {
          try {
            return reading.apply(text);
          } catch (NumberFormatException e) {
            throw new TypeConversionException("\"" + text + "\" is not " + kind);
          }
        };
    program.registerConverter(one, converter).registerConverter(boxed, converter);
  }

  /**
   * The exit code of an error: 2 where the caller has to ask for something else and nothing was
   * changed, else 1.
   */
  public static int exitCode(BitloomException error) {
    return switch (error.code()) {
      case MODEL_NOT_FOUND -> // nobody named one: a worker is missing
          error.violations().stream().allMatch(named -> named.value().isEmpty())
              ? CommandLine.ExitCode.SOFTWARE
              : CommandLine.ExitCode.USAGE;
      case INVALID_FIELD,
          MALFORMED_MESSAGE,
          JOB_NOT_FOUND,
          TRAINING_RUN_NOT_FOUND,
          TRAINING_RUN_ENDED,
          JOB_NOT_ACCEPTING,
          JOB_NOT_OPEN,
          JOB_NOT_TERMINAL,
          NOTHING_TO_REPLAY,
          MODEL_IN_USE,
          REQUEST_ID_REUSED,
          PERMISSION_DENIED,
          UNAUTHENTICATED,
          PROMPT_REJECTED,
          PROTOCOL_VIOLATION ->
          CommandLine.ExitCode.USAGE;
      default -> CommandLine.ExitCode.SOFTWARE;
    };
  }

  /** Says on standard error what is wrong with a command line; returns the exit code. */
  public static int refuse(ParameterException fault, String[] arguments) {
    CommandLine command = fault.getCommandLine();
    command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + message(fault));
    command.getErr().println(help(command));
    return CommandLine.ExitCode.USAGE;
  }

  /** Where the right command line is explained. */
  public static String help(CommandLine command) {
    return "Try './" + command.getCommandSpec().qualifiedName() + " --help'.";
  }

  /** What is wrong with a command line, and what was probably meant. */
  public static String message(ParameterException fault) {
    if (!(fault instanceof UnmatchedArgumentException unmatched)
        || unmatched.getUnmatched().isEmpty()) {
      return fault.getMessage();
    }
    String word = unmatched.getUnmatched().get(0);
    CommandSpec command = fault.getCommandLine().getCommandSpec();
    if (word.startsWith("-") && word.length() > 1) {
      return "there is no option " + word + suggestion(option(word), command.optionsMap().keySet());
    }
    if (command.subcommands().isEmpty()) {
      return "\"" + word + "\" is one word too many; a text with spaces needs quotes";
    }
    if (command.subcommands().containsKey("submit") && isFile(word)) {
      return "\"" + word + "\" is a file and no command; did you mean: submit " + word;
    }
    return "there is no command \""
        + word
        + "\""
        + suggestion(word, command.subcommands().keySet());
  }

  /** Without the value that may hang on it. */
  private static String option(String word) {
    return word.contains("=") ? word.substring(0, word.indexOf('=')) : word;
  }

  private static boolean isFile(String word) {
    try {
      return Files.exists(Path.of(word));
    } catch (InvalidPathException e) {
      return false;
    }
  }

  private static String suggestion(String word, Collection<String> known) {
    Optional<String> nearest = nearest(word, known);
    return nearest.isPresent() ? "; did you mean " + nearest.get() + "?" : "";
  }

  /** The known word that a third of the letters at most tell from this one. */
  public static Optional<String> nearest(String word, Collection<String> known) {
    String best = null;
    int least = Math.max(1, word.length() / 3) + 1;
    for (String other : known) {
      int distance = distance(word, other);
      if (distance < least) {
        least = distance;
        best = other;
      }
    }
    return Optional.ofNullable(best);
  }

  /** Letters to be put in, taken out or replaced to make one word of the other. */
  private static int distance(String word, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j <= other.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= word.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= other.length(); j++) {
        int replaced = diagonal + (word.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
