package io.bitloom.worker.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code bitloom tokenizer}: visual tokenizers on their own. */
@Command(
    name = "tokenizer",
    mixinStandardHelpOptions = true,
    description = "Looks at visual tokenizers.",
    subcommands = TokenizerReconstructCommand.class)
public final class TokenizerCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    throw new ParameterException(
        spec.commandLine(), "say what to do: tokenizer reconstruct IMAGES");
  }
}
