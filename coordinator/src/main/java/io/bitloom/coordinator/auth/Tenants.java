package io.bitloom.coordinator.auth;

import io.bitloom.common.config.ConfigException;
import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.config.LimitsConfig;
import io.bitloom.coordinator.config.WebhookConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows callers by their tokens. Only digests of tokens are kept. The file may change while the
 * coordinator runs: see {@link #refresh}.
 */
public final class Tenants {

  private static final Logger log = LoggerFactory.getLogger(Tenants.class);

  private final Optional<Path> file;
  private final Optional<Path> secretFile;
  private final LimitsConfig limits;
  private final Caller anybody;
  private volatile TenantsFile.Contents contents =
      new TenantsFile.Contents(Map.of(), Map.of(), List.of());

  /** The files as they were when they were read last. Guarded by this. */
  private List<Version> versions = List.of();

  /** By what a changed file is told without reading it; a replaced one is another file. */
  private record Version(Object key, FileTime modified, long size) {

    private static final Version NONE = new Version(null, FileTime.fromMillis(0), -1);

    static Version of(Path file) {
      try {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        return new Version(attributes.fileKey(), attributes.lastModifiedTime(), attributes.size());
      } catch (IOException e) {
        return NONE;
      }
    }
  }

  private Tenants(Optional<Path> file, Optional<Path> secretFile, LimitsConfig limits) {
    this.file = file;
    this.secretFile = secretFile;
    this.limits = limits;
    this.anybody = Caller.anybody(limits);
  }

  /**
   * @param file the tenants and their tokens; empty: all callers are the default tenant
   * @throws io.bitloom.common.config.ConfigException for a file that cannot be read or is wrong
   */
  public static Tenants of(Optional<Path> file, LimitsConfig limits) {
    return of(file, Optional.empty(), limits);
  }

  /**
   * @param file the tenants and their tokens; empty: all callers are the default tenant
   * @param secretFile by which webhooks of that one are signed; empty: it has none
   * @throws io.bitloom.common.config.ConfigException for a file that cannot be read or is wrong
   */
  public static Tenants of(Optional<Path> file, Optional<Path> secretFile, LimitsConfig limits) {
    Tenants tenants = new Tenants(file, secretFile, limits);
    tenants.read();
    return tenants;
  }

  /** The versions are those of before, so that a change meanwhile is seen the next time. */
  private synchronized void read() {
    versions = versions();
    TenantsFile.Contents found =
        file.map(path -> TenantsFile.read(path, limits))
            .orElseGet(() -> new TenantsFile.Contents(Map.of(), ofAnybody(), List.of()));
    if (!found.secretFiles().equals(contents.secretFiles())) {
      contents = found;
      versions = versions();
    }
    contents = found;
  }

  private Map<String, TenantWebhooks> ofAnybody() {
    return secretFile
        .map(path -> WebhookSecretFile.read(WebhookConfig.SECRET_FILE.name(), path))
        .map(secrets -> Map.of(anybody.tenant(), new TenantWebhooks(Optional.empty(), secrets)))
        .orElse(Map.of());
  }

  private List<Version> versions() {
    return Stream.of(file.stream(), secretFile.stream(), contents.secretFiles().stream())
        .flatMap(files -> files)
        .map(Version::of)
        .toList();
  }

  /**
   * Reads the files again if they have changed. One that is wrong or gone changes nothing, and the
   * log says why. Calls that run go on as those who they began as.
   */
  public synchronized void refresh() {
    if (versions().equals(versions)) {
      return;
    }
    try {
      read();
      log.info(
          "Read again: {} tokens, secrets of webhooks of {} tenants",
          contents.callers().size(),
          contents.webhooks().values().stream().filter(w -> !w.secrets().isEmpty()).count());
    } catch (ConfigException e) {
      log.warn("The tenants stay as they were: {}", e.getMessage());
    }
  }

  /** How a tenant is told what becomes of its jobs. */
  public TenantWebhooks webhooks(String tenant) {
    return contents.webhooks().getOrDefault(tenant, TenantWebhooks.NONE);
  }

  /** Whether callers have to show a token. */
  public boolean askForTokens() {
    return file.isPresent();
  }

  /** This process itself. */
  public Caller ourselves() {
    return anybody;
  }

  /**
   * Who has a token.
   *
   * @param token null if none was shown
   * @throws BitloomException {@code UNAUTHENTICATED} if nobody has it
   */
  public Caller caller(String token) {
    if (file.isEmpty()) {
      return anybody;
    }
    if (token == null) {
      throw new BitloomException(
          ErrorCode.UNAUTHENTICATED,
          "this coordinator asks who calls: give a token (--token, BITLOOM_TOKEN, or the header"
              + " authorization: Bearer TOKEN)");
    }
    Caller caller = contents.callers().get(digest(token));
    if (caller == null) {
      throw new BitloomException(ErrorCode.UNAUTHENTICATED, "this token is not known here");
    }
    return caller;
  }

  /**
   * Somebody of a tenant, to go on with what one of its callers began: with its weight and its
   * limits. Of a tenant that is gone, with the limits of all.
   */
  public Caller tenant(String name) {
    return contents.callers().values().stream()
        .filter(caller -> caller.tenant().equals(name))
        .findFirst()
        .orElseGet(() -> anybody.onBehalfOf(name));
  }

  private static String digest(String token) {
    try {
      byte[] bytes = token.getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
