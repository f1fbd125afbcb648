package io.bitloom.client.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * Commands of other modules. The script {@code ./bitloom} starts those modules itself; here the
 * commands only stand in the list of {@code --help}.
 */
final class RoutedCommands {

  private RoutedCommands() {}

  /** A command that only the script can run. */
  abstract static class Routed implements Callable<Integer> {

    @Spec private CommandSpec command;

    @Override
    public Integer call() {
      throw new ParameterException(
          command.commandLine(), command.name() + " is started by the script ./bitloom");
    }
  }

  @Command(name = "coordinator", description = "Run a coordinator.")
  static final class Coordinator extends Routed {}

  @Command(name = "worker", description = "Run a worker.")
  static final class Worker extends Routed {}

  @Command(name = "generate", description = "Draw one prompt in this process, without a cluster.")
  static final class Generate extends Routed {}

  @Command(name = "import", description = "Make a model directory of released Infinity files.")
  static final class ModelImport extends Routed {}

  @Command(name = "inspect", description = "Show what a weight file or model directory holds.")
  static final class ModelInspect extends Routed {}

  @Command(name = "convert", description = "Write weights in another form or type.")
  static final class ModelConvert extends Routed {}

  @Command(name = "verify", description = "Check the model code against reference values.")
  static final class Verify extends Routed {}

  @Command(name = "demo-data", description = "Draw the data set that the demo model learns from.")
  static final class DemoData extends Routed {}

  @Command(name = "quantizers", description = "Measure the memory of the entropy penalties.")
  static final class Quantizers extends Routed {}

  @Command(name = "eval", description = "Measure how well a model follows held-out prompts.")
  static final class Eval extends Routed {}

  @Command(name = "bench", description = "Measure parts of Bitloom.")
  static final class Bench extends Routed {}

  @Command(name = "tokenizer", description = "Show what a visual tokenizer keeps of pictures.")
  static final class Tokenizer extends Routed {}
}
