package io.bitloom.coordinator.scaler;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.auth.Caller.Role;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.coordinator.grpc.Authentication;
import io.bitloom.externalscaler.ScaledObjectRef;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Who may ask how pools stand: operators and workers, and everybody where that is allowed. KEDA
 * sends no headers; what it can send is a metadata whose value it takes from a variable of the
 * workers' pods. There a worker's token is already.
 */
final class ScalerAccess {

  /** Metadata with a token. KEDA puts in the value of the variable that stands there. */
  static final String TOKEN = "tokenFromEnv";

  private final Tenants tenants;
  private final boolean open;

  ScalerAccess(Tenants tenants, boolean open) {
    this.tenants = tenants;
    this.open = open;
  }

  /**
   * Lets a call in.
   *
   * @return the metadata without the token
   * @throws BitloomException {@code UNAUTHENTICATED} or {@code PERMISSION_DENIED}
   */
  Map<String, String> check(ScaledObjectRef what) {
    Map<String, String> metadata = new TreeMap<>(what.getScalerMetadataMap());
    String token = metadata.remove(TOKEN);
    if (!open && tenants.askForTokens()) {
      Optional<Caller> known = Authentication.knownCaller();
      Caller caller = known.isPresent() ? known.get() : caller(token);
      if (!caller.is(Role.OPERATOR) && !caller.is(Role.WORKER)) {
        throw new BitloomException(
            ErrorCode.PERMISSION_DENIED,
            "this token may not do that: it has neither the role operator nor worker");
      }
    }
    return metadata;
  }

  private Caller caller(String token) {
    if (token == null || token.isBlank()) {
      throw new BitloomException(
          ErrorCode.UNAUTHENTICATED,
          "this coordinator asks who calls: name a variable with a token in the metadata "
              + TOKEN
              + ", or let the autoscaler in without one (--scaler-open)");
    }
    return tenants.caller(token);
  }
}
