package io.bitloom.deploy.chart;

import io.bitloom.deploy.chart.Manifests.Pods;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPeer;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicyPort;
import java.util.ArrayList;
import java.util.List;

/** What network policies have to be like: for pods that there are, about ports that they have. */
final class NetworkRules {

  private final Manifests manifests;
  private final List<String> faults = new ArrayList<>();

  private NetworkRules(Manifests manifests) {
    this.manifests = manifests;
  }

  static List<String> faults(Manifests manifests) {
    NetworkRules rules = new NetworkRules(manifests);
    manifests.all(NetworkPolicy.class).forEach(rules::check);
    return rules.faults;
  }

  private void require(boolean fulfilled, NetworkPolicy policy, String what) {
    if (!fulfilled) {
      faults.add("NetworkPolicy " + policy.getMetadata().getName() + ": " + what);
    }
  }

  private void check(NetworkPolicy policy) {
    List<Pods> own = manifests.selected(policy.getSpec().getPodSelector().getMatchLabels());
    require(!own.isEmpty(), policy, "is for no pods");
    require(
        List.of("Ingress", "Egress").equals(policy.getSpec().getPolicyTypes()),
        policy,
        "lets everything in or out that it does not speak of");
    policy
        .getSpec()
        .getIngress()
        .forEach(
            rule -> {
              require(!rule.getFrom().isEmpty(), policy, "lets everybody in");
              rule.getFrom().forEach(peer -> check(policy, peer));
              rule.getPorts().forEach(port -> check(policy, own, port));
            });
    policy
        .getSpec()
        .getEgress()
        .forEach(
            rule -> {
              require(!rule.getPorts().isEmpty(), policy, "lets out to every port");
              List<Pods> peers =
                  rule.getTo().stream().flatMap(peer -> check(policy, peer).stream()).toList();
              rule.getPorts().forEach(port -> check(policy, peers, port));
            });
  }

  /** The pods of the chart that a peer means. */
  private List<Pods> check(NetworkPolicy policy, NetworkPolicyPeer peer) {
    LabelSelector selector = peer.getPodSelector();
    if (selector == null || peer.getNamespaceSelector() != null) {
      return List.of();
    }
    List<Pods> meant = manifests.selected(selector.getMatchLabels());
    require(!meant.isEmpty(), policy, "speaks of pods that there are not: " + selector);
    return meant;
  }

  /** Pods of the chart that a rule is about have its port. */
  private void check(NetworkPolicy policy, List<Pods> pods, NetworkPolicyPort port) {
    require(
        pods.stream().allMatch(it -> it.declare(port.getPort())),
        policy,
        "there is no port " + port.getPort().getValue());
  }
}
