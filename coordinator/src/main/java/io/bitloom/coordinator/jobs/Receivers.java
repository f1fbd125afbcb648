package io.bitloom.coordinator.jobs;

import io.bitloom.common.error.BitloomException;
import io.bitloom.common.net.MaskedUri;
import io.bitloom.coordinator.auth.TenantWebhooks;
import io.bitloom.coordinator.webhooks.Targets;
import java.util.Optional;
import java.util.function.Function;

/** To whom it may be told what becomes of jobs. */
public final class Receivers {

  private static final String FIELD = "job.webhook_url";

  private final Targets targets;
  private final Function<String, TenantWebhooks> tenants;

  /**
   * @param tenants what is known of a tenant, by its name
   */
  public Receivers(Targets targets, Function<String, TenantWebhooks> tenants) {
    this.targets = targets;
    this.tenants = tenants;
  }

  /**
   * The receiver of a new job of a tenant.
   *
   * @param url that the job names; empty: that of its tenant, if it has one
   * @return empty: nobody is told
   * @throws BitloomException {@code INVALID_FIELD}
   */
  String of(String tenant, String url) {
    String chosen = url.isEmpty() ? tenants.apply(tenant).url().orElse("") : url;
    if (!chosen.isEmpty()) {
      check(tenant, chosen);
    }
    return chosen;
  }

  /**
   * @throws BitloomException {@code INVALID_FIELD} if jobs of a tenant cannot have this receiver
   */
  void check(String tenant, String url) {
    Optional<String> problem = targets.problem(url);
    if (problem.isPresent()) {
      throw BitloomException.invalid(FIELD, MaskedUri.of(url), problem.get());
    }
    if (tenants.apply(tenant).secrets().isEmpty()) {
      throw BitloomException.invalid(
          FIELD,
          MaskedUri.of(url),
          "must not be there: the operator has no secret to sign webhooks of this tenant with"
              + " (webhook_secrets in the file of tenants, or --webhook-secret-file)");
    }
  }
}
