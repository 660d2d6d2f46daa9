import Incidents
import OakumModel
import Paging
import Testing

/// When users are served as before, and what the business hears of it.
struct ImpactTests {
    private static func at(_ seconds: Int64) -> WallTime { WallTime(milliseconds: 1_700_000_000_000 + seconds * 1_000) }

    private static func loss(
        _ actual: Double, of expected: Double, from: Int64, until: Int64? = nil,
        business: Bool? = true,
        what: String = "sign-ups"
    ) -> Impact {
        Impact(
            what: what, service: "web", actual: actual,
            expected: Estimate(estimate: expected, low: expected, high: expected), from: at(from),
            until: until.map(at), basis: "the same hour of 5 earlier days", isOfBusiness: business)
    }

    /// As the engine tells all losses of a service.
    private static func measured(_ desk: inout Desk, _ losses: [Impact]) {
        let ends = losses.map(\.until)
        desk.handle(
            .impact(
                service: "web", losses, onset: losses.map(\.from).min(),
                restored: ends.contains(nil) ? nil : ends.compactMap(\.self).max()))
    }

    private static func leaking() -> Desk {
        var desk = Desk()
        desk.handle(.alert(desk.alert(.memoryLeak, "leak", evidence: Desk.leak(named: true))))
        return desk
    }

    private func titles(_ desk: Desk) -> [String] { desk.pages.filter { $0.kind == .stakeholders }.map(\.title) }

    @Test func `a number that fits no integer is told all the same`() {
        var desk = Self.leaking()
        Self.measured(&desk, [Self.loss(1.8446744e19, of: 1e-300, from: 0)])
        #expect(titles(desk).first?.contains("sign-ups") == true)
    }

    @Test func `after a restart what goes on is known with what was lost until then`() throws {
        var desk = Self.leaking()
        var alert = desk.alert(.businessRate, "sign-ups")
        alert.impact = [Self.loss(5, of: 100, from: 0)]
        desk.handle(.alert(alert))
        let again = desk.restarted()
        let fired = try #require(again.book.ownFiring(at: again.now).first { $0.kind == .businessRate })
        #expect(fired.impact == [Self.loss(5, of: 100, from: 0)])
    }

    @Test func `one loss that ends does not restore what others go on losing`() throws {
        var desk = Self.leaking()
        Self.measured(&desk, [Self.loss(0, of: 50, from: 0)])
        desk.wait(30)
        var alert = desk.alert(.unresponsive, "silent", status: .resolved)
        alert.impact = [Self.loss(0, of: 2, from: 2, until: 28, business: nil, what: "workers that answer")]
        var before = desk.alert(.unresponsive, "silent")
        before.impact = [Self.loss(0, of: 2, from: 2, business: nil, what: "workers that answer")]
        desk.handle(.alert(before))
        desk.handle(.alert(alert))
        #expect(try #require(desk.stored[1]).incident.milestones.restored == nil)
        #expect(titles(desk).count == 1)
        desk.wait(30)
        Self.measured(&desk, [Self.loss(20, of: 1_200, from: 0, until: 55)])
        #expect(try #require(desk.stored[1]).incident.milestones.restored == Self.at(55))
        #expect(
            titles(desk).last == "web: sign-ups 20 of 1200 expected, −98 %, since t+0; restored t+55; cause known")
    }

    @Test func `when what the business counts is back, probes that lag behind do not hold it up`() throws {
        var desk = Self.leaking()
        var alert = desk.alert(.unresponsive, "silent")
        alert.impact = [Self.loss(0, of: 2, from: 2, business: nil, what: "workers that answer")]
        desk.handle(.alert(alert))
        Self.measured(
            &desk, [Self.loss(90, of: 100, from: 0, until: 20, business: nil, what: "requests answered well")])
        #expect(try #require(desk.stored[1]).incident.milestones.restored == nil)
        Self.measured(&desk, [Self.loss(0, of: 50, from: 0)])
        Self.measured(&desk, [Self.loss(20, of: 1_200, from: 0, until: 55)])
        #expect(try #require(desk.stored[1]).incident.milestones.restored == Self.at(55))
    }

    @Test func `a loss that begins again is told again, with the sum of both`() throws {
        var desk = Self.leaking()
        Self.measured(&desk, [Self.loss(5, of: 100, from: 0, until: 20)])
        desk.wait(60)
        Self.measured(&desk, [Self.loss(1, of: 40, from: 50)])
        #expect(try #require(desk.stored[1]).incident.milestones.restored == nil)
        desk.wait(30)
        Self.measured(&desk, [Self.loss(3, of: 60, from: 50, until: 75)])
        let incident = try #require(desk.stored[1]).incident
        #expect(incident.impact.count == 2 && incident.milestones.restored == Self.at(75))
        #expect(
            titles(desk) == [
                "web: sign-ups 5 of 100 expected, −95 %, since t+0; cause known",
                "web: sign-ups 5 of 100 expected, −95 %, since t+0; restored t+20; cause known",
                "web: sign-ups 6 of 140 expected, −96 %, since t+0; cause known",
                "web: sign-ups 8 of 160 expected, −95 %, since t+0; restored t+75; cause known",
            ])
        #expect(desk.kinds().filter { $0 == .impactOnset }.count == 2)
    }

    @Test func `a slow answer after the business is back is no news to it`() throws {
        var desk = Self.leaking()
        Self.measured(&desk, [Self.loss(5, of: 100, from: 0, until: 20)])
        Self.measured(
            &desk,
            [
                Self.loss(5, of: 100, from: 0, until: 20),
                Self.loss(90, of: 100, from: 25, business: nil, what: "requests answered within 1 s"),
            ])
        #expect(titles(desk).count == 2)
        #expect(try #require(desk.stored[1]).incident.milestones.restored == Self.at(20))
    }

    @Test func `a loss that comes and goes all the time is told a bounded number of times`() throws {
        var desk = Self.leaking()
        for round in 0..<40 {
            let from = Int64(round) * 20
            Self.measured(&desk, [Self.loss(1, of: 10, from: from)])
            desk.wait(10)
            Self.measured(&desk, [Self.loss(2, of: 20, from: from, until: from + 9)])
            desk.wait(10)
        }
        #expect(titles(desk).count == 2 + 2 * DeskState.relapseLimit)
        #expect(try #require(desk.stored[1]).incident.impact.count == 16)
    }

    @Test func `what the business counts comes before what the service counts`() throws {
        var desk = Self.leaking()
        Self.measured(
            &desk,
            [
                Self.loss(90, of: 100, from: 0, business: nil, what: "requests answered well"),
                Self.loss(205, of: 412, from: 0),
            ])
        let page = try #require(desk.pages.first { $0.kind == .stakeholders })
        #expect(page.title.hasPrefix("web: sign-ups 205 of 412 expected, −50 %"))
        #expect(page.lines[0].hasPrefix("sign-ups") && page.lines[1].hasPrefix("requests answered well"))
    }

    @Test func `nothing is lost any more ends whatever went on`() throws {
        var desk = Self.leaking()
        Self.measured(&desk, [Self.loss(5, of: 100, from: 0)])
        desk.handle(.impact(service: "web", [], onset: nil, restored: Self.at(9)))
        let incident = try #require(desk.stored[1]).incident
        #expect(incident.milestones.restored == Self.at(9) && incident.impact[0].until == Self.at(9))
    }

}
