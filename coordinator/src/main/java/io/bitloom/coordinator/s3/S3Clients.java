package io.bitloom.coordinator.s3;

import io.bitloom.common.config.ConfigException;
import io.bitloom.coordinator.config.S3Server;
import java.time.Duration;
import java.util.Optional;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3Configuration;
import software.amazon.awssdk.services.s3.presigner.S3Presigner;

/** Clients of an S3 server, all with the same manners. */
public final class S3Clients {

  private S3Clients() {}

  /**
   * Calls of it take at most 30 s.
   *
   * @throws ConfigException if there is no region
   */
  public static S3Client client(S3Server server) {
    return S3Client.builder()
        .region(region(server))
        .endpointOverride(server.endpoint().orElse(null))
        .serviceConfiguration(style(server))
        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
        .overrideConfiguration(calls -> calls.apiCallTimeout(Duration.ofSeconds(30)))
        .httpClientBuilder(
            UrlConnectionHttpClient.builder()
                .connectionTimeout(Duration.ofSeconds(3))
                .socketTimeout(Duration.ofSeconds(15)))
        .build();
  }

  /**
   * Signs requests that others make.
   *
   * @throws ConfigException if there is no region
   */
  public static S3Presigner presigner(S3Server server) {
    return S3Presigner.builder()
        .region(region(server))
        .endpointOverride(server.endpoint().orElse(null))
        .serviceConfiguration(style(server))
        .build();
  }

  private static S3Configuration style(S3Server server) {
    return S3Configuration.builder().pathStyleAccessEnabled(server.pathStyle()).build();
  }

  private static Region region(S3Server server) {
    if (server.region().isPresent()) {
      return Region.of(server.region().get());
    }
    if (server.endpoint().isEmpty()) {
      return amazonRegion();
    }
    // Other servers have no regions, but signatures need one; asking Amazon's instance metadata
    // would only cost time.
    return Optional.ofNullable(System.getenv("AWS_REGION"))
        .map(Region::of)
        .orElse(Region.US_EAST_1);
  }

  private static Region amazonRegion() {
    try {
      return DefaultAwsRegionProviderChain.builder().build().getRegion();
    } catch (SdkClientException e) {
      throw new ConfigException("s3-region", "", "must be given, since AWS_REGION is not set");
    }
  }
}
