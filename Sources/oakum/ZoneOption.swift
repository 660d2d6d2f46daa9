import OakumApp
import Postmortem

/// The zone of `--zone`; without it this machine's.
func documentZone(_ name: String?) throws -> DocumentZone {
    guard let name else { return .ofThisMachine() }
    do throws(ZoneProblem) {
        return try .named(name)
    } catch {
        throw Failure(.badInput, "--zone: \(error)")
    }
}
