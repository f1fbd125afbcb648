package io.bitloom.coordinator.auth;

import io.bitloom.common.config.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A file of secrets by which webhooks are signed, one a line. Each signs, so that one can follow
 * another.
 */
final class WebhookSecretFile {

  /** More would make requests longer and nothing safer. */
  static final int MOST = 8;

  private static final long MOST_BYTES = 16 << 10;

  private WebhookSecretFile() {}

  /**
   * @param setting in errors
   * @throws ConfigException if the file cannot be read or has no secret, or something else
   */
  static List<WebhookSecret> read(String setting, Path file) {
    List<WebhookSecret> secrets = new ArrayList<>();
    int number = 0;
    for (String line : lines(setting, file)) {
      number++;
      if (!line.isBlank()) {
        try {
          secrets.add(WebhookSecret.parse(line.strip()));
        } catch (IllegalArgumentException e) {
          throw new ConfigException(setting, file + " line " + number, e.getMessage());
        }
      }
    }
    if (secrets.isEmpty() || secrets.size() > MOST) {
      throw new ConfigException(setting, file, "must have 1 to " + MOST + " secrets, one a line");
    }
    return List.copyOf(secrets);
  }

  private static List<String> lines(String setting, Path file) {
    try {
      if (Files.size(file) <= MOST_BYTES) {
        return Files.readAllLines(file);
      }
    } catch (IOException e) {
      throw new ConfigException(setting, file, "must be a readable file of text");
    }
    throw new ConfigException(setting, file, "must have at most " + MOST_BYTES + " bytes");
  }
}
