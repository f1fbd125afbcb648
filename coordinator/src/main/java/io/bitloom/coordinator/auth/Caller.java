package io.bitloom.coordinator.auth;

import io.bitloom.coordinator.config.LimitsConfig;
import java.util.Set;

/**
 * Who makes a call.
 *
 * @param tenant whose jobs these are
 * @param weight the tenant's share relative to others
 * @param limits of the tenant
 * @param worker what it may be if it is a worker
 */
public record Caller(
    String tenant, double weight, LimitsConfig limits, Set<Role> roles, WorkerRights worker) {

  /** What callers may do. */
  public enum Role {
    /** Submits jobs and reads results, of its own tenant. */
    CLIENT,
    /** Draws. */
    WORKER,
    /** Sees and controls the jobs of all tenants. */
    OPERATOR
  }

  /** The tenant of all callers of a coordinator that does not tell them apart. */
  public static final String DEFAULT_TENANT = "default";

  /** Somebody who may do everything. */
  static Caller anybody(LimitsConfig limits) {
    return new Caller(
        DEFAULT_TENANT, 1, limits, Set.of(Role.values()), WorkerRights.unrestricted(""));
  }

  /** The same, where what is done is done for a tenant whose jobs this caller may control. */
  public Caller onBehalfOf(String other) {
    return new Caller(other, weight, limits, roles, worker);
  }

  public boolean is(Role role) {
    return roles.contains(role);
  }

  /** Whether this caller is told who the workers are. */
  public boolean seesWorkers() {
    return is(Role.OPERATOR);
  }

  /** Whether jobs of a tenant are there for this caller. */
  public boolean sees(String otherTenant) {
    return tenant.equals(otherTenant) || is(Role.OPERATOR);
  }
}
