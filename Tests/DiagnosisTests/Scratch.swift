@testable import Diagnosis
import OakumModel
import OakumTestKit
import Testing
import Foundation
@Suite struct Scratch {
    @Test func scratch() {
        // TROUBLE:seed:restart;...
        for item in (ProcessInfo.processInfo.environment["LOOK"] ?? "").split(separator: ";") {
            let parts = item.split(separator: ":")
            let trouble = Trouble(rawValue: String(parts[0]))!
            let seed = UInt64(parts[1])!
            var generator = SeededGenerator(seed: seed &* 7_919 &+ 17)
            var incident = SimulatedIncident(trouble, generator: SeededGenerator(seed: seed &* 7_919))
            if parts.count > 2, parts[2] == "h" { incident.addHerrings() }
            if parts.count > 2, parts[2] == "r" {
                let left = Double(incident.seconds) - incident.onset
                incident.restart = incident.onset + left * generator.double(0.35..<0.6)
            }
            incident.run()
            if trouble == .randomWalks { incident.wander() }
            let d = Diagnosis(incident.observations())
            print(
                "LOOK", item, "T", incident.seconds, "onset", incident.onset, "restart", incident.restart as Any,
                d.summary)
            for h in d.hypotheses.prefix(3) {
                print("LOOK   ", h.cause, h.belief, "FOR", h.evidence, "AGAINST", h.against)
            }
            for o in d.onsets { print("LOOK      ", o.sentence, o.at.low, o.at.estimate, o.at.high) }
        }
    }
}
