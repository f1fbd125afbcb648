package io.bitloom.coordinator;

import io.bitloom.coordinator.config.Setting;
import io.bitloom.coordinator.config.SettingValues;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/** Makes options of settings, and takes their values from a command line. */
final class SettingOptions {

  private static final String NEGATIVE = "--no-";

  private final List<Setting<?>> settings;

  SettingOptions(List<Setting<?>> settings) {
    this.settings = settings;
  }

  void addTo(CommandSpec command) {
    settings.forEach(setting -> command.addOption(option(setting)));
  }

  private static OptionSpec option(Setting<?> setting) {
    OptionSpec.Builder option =
        OptionSpec.builder(setting.option())
            .type(setting.type())
            .description(setting.meaning())
            .defaultValue("${env:" + setting.variable() + ":-" + setting.standard() + "}");
    if (setting.label().isEmpty()) {
      // Else picocli takes a switch for the opposite of its default.
      option.arity("0").fallbackValue("true");
      option.negatable(setting.option().startsWith(NEGATIVE));
    } else {
      option.arity("1").paramLabel(setting.label());
    }
    return option.build();
  }

  /**
   * What the command line, the environment and a file say. Options that were not given have the
   * file's values from now on, so that rules between options see what holds.
   *
   * @throws io.bitloom.coordinator.config.SettingsFileException if the file is wrong
   */
  SettingValues values(ParseResult given, Optional<Path> file) {
    Map<String, String> options = new HashMap<>();
    for (Setting<?> setting : settings) {
      if (given.hasMatchedOption(setting.option())) {
        OptionSpec option = given.matchedOption(setting.option());
        options.put(setting.name(), String.valueOf(option.<Object>getValue()));
      }
    }
    SettingValues values = SettingValues.of(settings, options, System.getenv(), file);
    for (Setting<?> setting : settings) {
      OptionSpec option = given.commandSpec().findOption(setting.option());
      if (setting.type() == String.class || setting.type() == boolean.class) {
        String text = values.text(setting);
        option.setValue(setting.type() == boolean.class ? (Object) Boolean.valueOf(text) : text);
      }
    }
    return values;
  }
}
