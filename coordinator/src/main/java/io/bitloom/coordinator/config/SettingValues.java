package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What settings are: what the command line says, else the environment, else the file, else their
 * defaults.
 */
public final class SettingValues {

  /** All defaults. */
  public static final SettingValues DEFAULTS = new SettingValues(Map.of());

  /** A text, and how an error with it begins and ends. */
  private record Said(String text, String before, String after) {}

  private final Map<String, Said> said;

  private SettingValues(Map<String, Said> said) {
    this.said = said;
  }

  /**
   * Takes the settings from all places where they can be said.
   *
   * @param settings that there are
   * @param options of the command line, by the names of settings
   * @param environment of the process
   * @param file empty if there is none
   * @throws SettingsFileException if the file is wrong
   */
  public static SettingValues of(
      Collection<Setting<?>> settings,
      Map<String, String> options,
      Map<String, String> environment,
      Optional<Path> file) {
    Map<String, Said> said = new HashMap<>();
    file.ifPresent(
        path ->
            SettingsFile.read(path, settings)
                .forEach(
                    (name, entry) ->
                        said.put(name, new Said(entry.text(), entry.place() + ": ", ""))));
    for (Setting<?> setting : settings) {
      String variable = environment.get(setting.variable());
      if (variable != null) {
        said.put(setting.name(), new Said(variable, "--", " (" + setting.variable() + ")"));
      }
      String option = options.get(setting.name());
      if (option != null) {
        said.put(setting.name(), new Said(option, "--", ""));
      }
    }
    return new SettingValues(said);
  }

  /**
   * The value of a setting.
   *
   * @throws ConfigException if it is not one that the setting can have
   */
  public <T> T get(Setting<T> setting) {
    return setting.read(text(setting));
  }

  /** As it is written. */
  public String text(Setting<?> setting) {
    Said here = said.get(setting.name());
    return here == null ? setting.standard() : here.text();
  }

  /** What is wrong with a value, and where it comes from. */
  public String explain(ConfigException wrong) {
    Said here = said.getOrDefault(wrong.key(), new Said("", "--", ""));
    return here.before() + wrong.getMessage() + here.after();
  }
}
