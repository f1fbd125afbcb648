package io.bitloom.coordinator.auth;

import java.util.List;
import java.util.Optional;

/**
 * How a tenant is told what becomes of its jobs.
 *
 * @param url receives what is told of jobs that name no receiver; empty: nobody does
 * @param secrets by which requests are signed, each of them; empty: nobody can be told
 */
public record TenantWebhooks(Optional<String> url, List<WebhookSecret> secrets) {

  public static final TenantWebhooks NONE = new TenantWebhooks(Optional.empty(), List.of());
}
