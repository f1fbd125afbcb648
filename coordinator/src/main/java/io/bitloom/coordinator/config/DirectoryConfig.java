package io.bitloom.coordinator.config;

import java.nio.file.Path;

/**
 * The coordinator's own directory.
 *
 * @param path where the embedded Redis is kept, and images unless they go elsewhere
 * @param shared whether other coordinators that say so as well may use it
 */
public record DirectoryConfig(Path path, boolean shared) {

  static final Setting<String> DATA =
      Setting.text(
          "data", "DIR", "data", "Where the queue and the images are kept (default: ./{default}).");
  static final Setting<Boolean> SHARE_DATA =
      Setting.flag(
          "share-data",
          "Let other coordinators that say so as well use this folder and the Redis in it.");

  static DirectoryConfig of(SettingValues values) {
    return new DirectoryConfig(Path.of(values.get(DATA)), values.get(SHARE_DATA));
  }
}
