package io.bitloom.coordinator.config;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.net.MaskedUri;
import java.net.URI;
import java.util.Optional;

/**
 * Amazon S3, or a server that speaks its protocol.
 *
 * @param endpoint of another server than Amazon's
 * @param region empty: as the AWS SDK finds it
 * @param pathStyle whether the bucket is a part of the path, and not of the host name
 */
public record S3Server(Optional<URI> endpoint, Optional<String> region, boolean pathStyle) {

  static final Setting<String> ENDPOINT =
      Setting.text(
          "s3-endpoint",
          "URL",
          "",
          "Of an S3 server that is not Amazon's; workers must reach it too.");
  static final Setting<String> REGION =
      Setting.text(
          "s3-region",
          "NAME",
          "",
          "Region of the bucket (default: AWS_REGION, or as the AWS SDK finds it).");
  static final Setting<Boolean> PATH_STYLE =
      Setting.flag(
          "s3-path-style",
          "The bucket is in the path and not in the host name; most own servers need it.");

  static S3Server of(SettingValues values) {
    return of(values.get(ENDPOINT), values.get(REGION), values.get(PATH_STYLE));
  }

  /**
   * Reads the settings.
   *
   * @param endpoint a URL; blank: Amazon's
   * @param region blank: as the AWS SDK finds it
   * @throws ConfigException naming the key of the first bad value
   */
  public static S3Server of(String endpoint, String region, boolean pathStyle) {
    return new S3Server(
        Optional.of(endpoint).filter(url -> !url.isBlank()).map(S3Server::endpoint),
        Optional.of(region).filter(name -> !name.isBlank()),
        pathStyle);
  }

  private static URI endpoint(String url) {
    if (!url.matches("https?://[^/?#@]+/?")) {
      throw new ConfigException(
          ENDPOINT.name(), MaskedUri.of(url), "must be a URL such as https://HOST:PORT");
    }
    return URI.create(url);
  }
}
