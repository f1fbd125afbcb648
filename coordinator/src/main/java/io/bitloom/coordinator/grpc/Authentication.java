package io.bitloom.coordinator.grpc;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.error.ErrorCode;
import io.bitloom.coordinator.auth.Caller;
import io.bitloom.coordinator.auth.Caller.Role;
import io.bitloom.coordinator.auth.Tenants;
import io.bitloom.externalscaler.ExternalScalerGrpc;
import io.bitloom.v1.TrainingServiceGrpc;
import io.bitloom.v1.WorkerServiceGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * Finds out who makes a call and whether that is allowed: {@link #caller} tells services. Health is
 * everybody's to ask. The autoscaler's token is not in a header; its service looks for it.
 */
public final class Authentication implements ServerInterceptor {

  public static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private static final String BEARER = "bearer ";
  private static final String HEALTH = "grpc.health.v1.Health";
  private static final Set<String> FOR_WORKERS =
      Set.of(WorkerServiceGrpc.SERVICE_NAME, TrainingServiceGrpc.SERVICE_NAME);

  private static final Context.Key<Caller> CALLER = Context.key("bitloom-caller");

  private final Tenants tenants;

  Authentication(Tenants tenants) {
    this.tenants = tenants;
  }

  /** The caller of the call that this thread begins to serve. */
  public static Caller caller() {
    Caller caller = CALLER.get();
    if (caller == null) {
      throw new IllegalStateException("not within a call");
    }
    return caller;
  }

  /** Likewise; empty where a service finds out for itself who calls. */
  public static Optional<Caller> knownCaller() {
    return Optional.ofNullable(CALLER.get());
  }

  @Override
  public <Q, A> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
    String service = call.getMethodDescriptor().getServiceName();
    boolean asksItself = ExternalScalerGrpc.SERVICE_NAME.equals(service);
    if (HEALTH.equals(service) || asksItself && headers.get(AUTHORIZATION) == null) {
      return next.startCall(call, headers);
    }
    Caller caller = tenants.caller(token(headers.get(AUTHORIZATION)));
    Set<Role> needed = needed(service);
    if (needed.stream().noneMatch(caller::is)) {
      throw new BitloomException(
          ErrorCode.PERMISSION_DENIED,
          "this token may not do that: it lacks the role "
              + needed.iterator().next().name().toLowerCase(Locale.ROOT));
    }
    return Contexts.interceptCall(Context.current().withValue(CALLER, caller), call, headers, next);
  }

  private static Set<Role> needed(String service) {
    if (ExternalScalerGrpc.SERVICE_NAME.equals(service)) {
      return Set.of(Role.WORKER, Role.OPERATOR);
    }
    return FOR_WORKERS.contains(service) ? Set.of(Role.WORKER) : Set.of(Role.CLIENT, Role.OPERATOR);
  }

  /** The token in a header; null if there is none. */
  private static String token(String authorization) {
    return authorization != null && authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)
        ? authorization.substring(BEARER.length()).strip()
        : null;
  }
}
