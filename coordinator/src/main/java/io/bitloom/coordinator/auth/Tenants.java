package io.bitloom.coordinator.auth;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.config.LimitsConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/** Knows callers by their tokens. Only digests of tokens are kept. */
public final class Tenants {

  private final Optional<Map<String, Caller>> callers;
  private final Caller anybody;

  private Tenants(Optional<Map<String, Caller>> callers, LimitsConfig limits) {
    this.callers = callers;
    this.anybody = Caller.anybody(limits);
  }

  /**
   * @param file the tenants and their tokens; empty: all callers are the default tenant
   * @throws io.bitloom.common.config.ConfigException for a file that cannot be read or is wrong
   */
  public static Tenants of(Optional<Path> file, LimitsConfig limits) {
    return new Tenants(file.map(path -> TenantsFile.read(path, limits)), limits);
  }

  /** Whether callers have to show a token. */
  public boolean askForTokens() {
    return callers.isPresent();
  }

  /** Who calls from within this process. */
  Caller ourselves() {
    return anybody;
  }

  /**
   * Who has a token.
   *
   * @param token null if none was shown
   * @throws BitloomException {@code UNAUTHENTICATED} if nobody has it
   */
  public Caller caller(String token) {
    if (callers.isEmpty()) {
      return anybody;
    }
    if (token == null) {
      throw new BitloomException(
          ErrorCode.UNAUTHENTICATED, "a token is needed: authorization: Bearer TOKEN");
    }
    Caller caller = callers.get().get(digest(token));
    if (caller == null) {
      throw new BitloomException(ErrorCode.UNAUTHENTICATED, "nobody has this token");
    }
    return caller;
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
