package io.bitloom.common.cli;

import java.lang.reflect.AnnotatedElement;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/** Holds a command line to the {@link OptionRule}s and {@link Range}s of its command. */
final class OptionChecks {

  private final ParseResult given;
  private final CommandSpec command;

  private OptionChecks(ParseResult given) {
    this.given = given;
    this.command = given.commandSpec();
  }

  /**
   * Checks the command that is going to run.
   *
   * @throws ParameterException saying which option is wrong, and with or without what it is right
   */
  static void check(ParseResult whole) {
    ParseResult given = whole;
    while (given.hasSubcommand()) {
      given = given.subcommand();
    }
    if (given.isUsageHelpRequested() || given.isVersionHelpRequested()) {
      return;
    }
    OptionChecks checks = new OptionChecks(given);
    checks.ranges();
    checks.applyRulesOf(given.commandSpec());
  }

  /** Those of the command and of the groups of options that it is made of. */
  private void applyRulesOf(CommandSpec part) {
    if (part.userObject() != null) {
      Class<?> type = part.userObject().getClass();
      List.of(type.getAnnotationsByType(OptionRule.class)).forEach(this::apply);
    }
    part.mixins().values().forEach(this::applyRulesOf);
  }

  private void ranges() {
    for (ArgSpec argument : command.args()) {
      if (argument.userObject() instanceof AnnotatedElement field
          && field.isAnnotationPresent(Range.class)) {
        check(argument, field.getAnnotation(Range.class));
      }
    }
  }

  private void check(ArgSpec argument, Range range) {
    Object value = argument.getValue();
    Collection<?> values =
        value instanceof Collection<?> several
            ? several
            : Stream.ofNullable(value).collect(Collectors.toList());
    for (Object each : values) {
      long number = ((Number) each).longValue();
      boolean allowed =
          (number >= range.min() && number <= range.max())
              || LongStream.of(range.also()).anyMatch(other -> other == number);
      if (!allowed) {
        String name =
            argument.isOption() ? ((OptionSpec) argument).longestName() : argument.paramLabel();
        String wanted =
            range.max() == Long.MAX_VALUE
                ? "at least " + range.min()
                : range.min() + " to " + range.max();
        throw wrong(name + " must be " + wanted + ", not " + number);
      }
    }
  }

  private void apply(OptionRule rule) {
    if (Stream.of(rule.unless()).anyMatch(this::holds)) {
      return;
    }
    List<String> options = options(rule);
    for (OptionSpec option : given.matchedOptions()) {
      if (Stream.of(option.names()).anyMatch(options::contains)) {
        apply(rule, option);
      }
    }
  }

  private void apply(OptionRule rule, OptionSpec option) {
    List<String> wanted = List.of(rule.onlyWith());
    if (!wanted.isEmpty() && wanted.stream().noneMatch(this::holds)) {
      throw wrong(option.longestName() + " has an effect only with " + String.join(" or ", wanted));
    }
    for (String other : rule.notWith()) {
      if (holds(other)) {
        throw wrong(option.longestName() + " has no effect with " + other + origin(other));
      }
    }
  }

  private List<String> options(OptionRule rule) {
    if (!List.of(rule.options()).contains(OptionRule.ALL)) {
      return List.of(rule.options());
    }
    Set<String> all = new LinkedHashSet<>(command.optionsMap().keySet());
    List.of(rule.except()).forEach(all::remove);
    Stream.of(rule.onlyWith(), rule.notWith())
        .flatMap(Stream::of)
        .map(OptionChecks::name)
        .forEach(all::remove);
    return List.copyOf(all);
  }

  private boolean holds(String condition) {
    OptionSpec option = command.findOption(name(condition));
    if (option == null) {
      throw new IllegalStateException(command.qualifiedName() + " has no option " + condition);
    }
    Object value = option.getValue();
    if (!condition.contains("=")) {
      boolean said =
          value instanceof Boolean flag ? flag : value instanceof String s && !s.isBlank();
      return given.hasMatchedOption(option) || (said && option.defaultValue() != null);
    }
    String wanted = condition.substring(condition.indexOf('=') + 1);
    return wanted.equalsIgnoreCase(String.valueOf(value));
  }

  /** An option that was not given has its value from somewhere else. */
  private String origin(String condition) {
    OptionSpec option = command.findOption(name(condition));
    return given.hasMatchedOption(option) ? "" : ", which is what holds here by default";
  }

  private static String name(String condition) {
    return condition.contains("=") ? condition.substring(0, condition.indexOf('=')) : condition;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(command.commandLine(), message);
  }
}
