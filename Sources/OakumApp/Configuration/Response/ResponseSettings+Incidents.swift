package import Incidents
package import OakumModel
import Paging

extension OakumConfiguration {
    /// What the book of incidents goes by.
    ///
    /// - Parameters:
    ///   - installation: begins the ids of pages; see `IncidentSettings`.
    ///   - links: where to see an incident and act on it.
    package func incidentSettings(
        installation: String, links: @escaping @Sendable (Int64, String?, WallTime) -> [PageLink]
    ) -> IncidentSettings {
        let rules = response.incidents
        return IncidentSettings(
            plan: response.plan,
            services: Dictionary(services.map { ($0.name, $0.paging) }) { first, _ in first },
            defaultPolicy: response.defaultPolicy,
            audiences: response.audiences.map(\.audience),
            pagesFrom: rules.pagesFrom, evidenceSeconds: rules.evidenceSeconds, quietSeconds: rules.quietSeconds,
            reopenSeconds: rules.reopenSeconds, forgottenSeconds: rules.forgottenSeconds,
            updateSeconds: rules.updateSeconds, installation: installation, links: links)
    }
}

extension AudienceSettings {
    var audience: Audience {
        Audience(
            name: name, channel: channel, address: address, services: services, stages: stages,
            clock: { [zone] in zone.timeOfDay(at: $0) })
    }
}
