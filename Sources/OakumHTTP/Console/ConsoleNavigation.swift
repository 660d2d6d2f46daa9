import OakumAPI
import OakumModel

/// What all pages share at their top and foot: where to go, and who is signed in.
struct ConsoleNavigation {
    enum Place: String {
        case overview, incidents, onCall, none
    }

    var place: Place
    /// Incidents that are not resolved; nil when none are configured, so that there is nothing to link to.
    var open: Int?
    var principal: Principal?

    var markup: Markup {
        guard let open else { return "" }
        return """
            <nav class="places" aria-label="Pages">\(link("/", "Services", .overview))\
            \(link("/incidents", "Incidents", .incidents, badge: badge(open)))\(link("/on-call", "On call", .onCall))</nav>
            """
    }

    private func link(_ address: String, _ text: String, _ target: Place, badge: Markup = "") -> Markup {
        let current: Markup = target == place ? " aria-current=\"page\"" : ""
        return "<a href=\"\(address)\"\(current)>\(text)\(badge)</a>"
    }

    /// The script finds it hidden where there is none.
    private func badge(_ count: Int) -> Markup {
        """
         <span class="badge" id="open-incidents" data-count="\(count)"\(ConsolePage.hidden(count == 0))>\
        <span data-field="count">\(count)</span><span class="for-readers"> open</span></span>
        """
    }

    /// Nothing where nobody is signed in.
    var signedIn: Markup {
        guard let principal, principal.evidence == .session else { return "" }
        return """
            <form class="signed-in" method="post" action="/logout"><span>\(principal.name), \(principal.role.rawValue)</span>
            <button class="plain" type="submit">Sign out</button>
            <button class="plain" type="submit" name="everywhere" value="yes">Sign out everywhere</button></form>
            """
    }

    /// How many are not resolved; at most 200, and nil when they cannot be had.
    static func openCount(_ parts: ResponseParts) async -> Int? {
        guard let plane = parts.incidents else { return nil }
        do {
            return try await plane.incidents(IncidentQuery(states: [.open, .acknowledged, .mitigated], limit: 200))
                .count
        } catch {
            // The page it stands on has more to say than this number.
            return 0
        }
    }
}
