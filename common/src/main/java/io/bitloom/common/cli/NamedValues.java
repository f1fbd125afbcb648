package io.bitloom.common.cli;

import com.google.protobuf.ProtocolMessageEnum;
import io.bitloom.common.prompt.PromptEnum;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** Options whose values are the names of an enum. */
final class NamedValues {
  private NamedValues() {}

  /** Sets what a word given to an option means; nothing if none was given. */
  static <E extends ProtocolMessageEnum> void set(
      CommandSpec command, String option, PromptEnum<E> names, String given, Consumer<E> set) {
    if (given != null) {
      set.accept(
          names
              .find(given.toLowerCase(Locale.ROOT))
              .orElseThrow(
                  () ->
                      new ParameterException(
                          command.commandLine(),
                          option + " must be one of " + names.all() + ", not \"" + given + '"')));
    }
  }
}
