import Dispatch
import Foundation
package import OakumAPI

/// What a drill needs from outside.
package struct DrillTools: Sendable {
    /// The path of the `oakum` that runs the protected arms; the programs of a document are looked up beside it first.
    package var oakumPath: String
    /// Gives the control plane of the `oakum` with this state folder, whether it runs already or not.
    package var controlPlane: @Sendable (_ stateFolder: String) -> any ControlPlane

    /// The same for its incidents; nil: nobody is paged in this drill.
    package var incidentPlane: (@Sendable (_ stateFolder: String) -> any IncidentPlane)?

    /// Stores what was counted on earlier days in a state folder that no `oakum` uses yet; nil: it cannot be done here.
    package var seedBusiness:
        (
            @Sendable (_ stateFolder: String, _ service: String, _ metric: String, _ spans: [CountedSpan]) async throws
                ->
                Void
        )?

    /// Of the messages to the business, such as America/New_York; nil: this machine's.
    package var timeZone: String?

    /// Writes the draft of an incident's postmortem with its charts to a file, and says what became of it.
    package var writePostmortem:
        (
            @Sendable (_ stateFolder: String, _ configuration: String, _ incident: Int64, _ file: String) async throws
                ->
                [String]
        )?

    package init(
        oakumPath: String, controlPlane: @escaping @Sendable (_ stateFolder: String) -> any ControlPlane,
        incidentPlane: (@Sendable (_ stateFolder: String) -> any IncidentPlane)? = nil
    ) {
        self.oakumPath = oakumPath
        self.controlPlane = controlPlane
        self.incidentPlane = incidentPlane
    }
}

/// Runs blocking work on a thread of its own to its end, even in a cancelled task: cleaning up must not be cut short.
func uncancelled<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(returning: work()) }
    }
}

func writeText(_ text: String, to file: String) throws(DrillError) {
    do {
        try text.write(toFile: file, atomically: false, encoding: .utf8)
    } catch {
        throw .couldNotRun("\(file) cannot be written: \(error)")
    }
}

/// The text as a JSON string.
func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
