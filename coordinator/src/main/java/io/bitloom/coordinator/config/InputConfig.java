package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.MaskedUri;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Objects that jobs may name as their prompts. Coordinators read them with their own rights, so
 * what is not said here, no caller can have read.
 *
 * @param places empty: none may be named
 * @param bytes that an object may have, compressed or not
 */
public record InputConfig(List<Place> places, long bytes, S3Server server) {

  static final Setting<List<String>> PLACES =
      Setting.texts(
          "input",
          "PLACES",
          "Where objects with the prompts of jobs may lie: s3://BUCKET/PREFIX, several separated by"
              + " commas; {tenant} stands for the name of the caller's tenant (default: nowhere).");
  static final Setting<Long> BYTES =
      Setting.bytes(
          "input-bytes",
          "16GiB",
          "Most bytes of such an object, also when it is uncompressed (default: {default}).");

  private static final String TENANT = "{tenant}";
  private static final Pattern LOCATION =
      Pattern.compile("s3://(" + S3Config.BUCKET + ")(?:/((?:[A-Za-z0-9._/-]|\\{tenant\\})*))?");

  /**
   * Objects whose keys begin alike.
   *
   * @param prefix empty, or ends in a slash; with <code>{tenant}</code> for the tenant's name
   */
  public record Place(String bucket, String prefix) {

    /** Whether an object is here for callers of a tenant. */
    public boolean has(String tenant, String otherBucket, String key) {
      return bucket.equals(otherBucket) && key.startsWith(prefix.replace(TENANT, tenant));
    }
  }

  /**
   * @throws ConfigException naming the key of the first bad value
   */
  public InputConfig {
    if (bytes < 1) {
      throw new ConfigException(BYTES.name(), bytes, "must be at least 1 byte");
    }
    places = List.copyOf(places);
  }

  static InputConfig of(SettingValues values) {
    return new InputConfig(
        values.get(PLACES).stream().map(InputConfig::place).toList(),
        values.get(BYTES),
        S3Server.of(values));
  }

  /** One place, as it is written. */
  public static Place place(String location) {
    Matcher matcher = LOCATION.matcher(location);
    if (!matcher.matches()) {
      throw new ConfigException(
          PLACES.name(),
          MaskedUri.of(location),
          "must be s3://BUCKET/PREFIX, with {tenant} or not");
    }
    String prefix = matcher.group(2) == null ? "" : matcher.group(2);
    return new Place(
        matcher.group(1), prefix.isEmpty() || prefix.endsWith("/") ? prefix : prefix + "/");
  }

  /** Whether jobs may name objects at all. */
  public boolean isOpen() {
    return !places.isEmpty();
  }
}
