package import RegistrationCore

/// A fault that can be switched on in a drill, as it was in a real incident. Never part of the shipped service.
package enum Fault: String, CaseIterable, Sendable {
    case verificationContext = "verification-context"

    /// One line for a list of faults.
    package var summary: String {
        switch self {
        case .verificationContext:
            "every sign-up leaves a verification context in a store that is never cleaned (--fault-bytes each)"
        }
    }

    /// What this fault uses when the command line does not say.
    package var standardBytes: Int {
        switch self {
        case .verificationContext: 64 * 1024
        }
    }

    /// The store with the fault in it. `bytes` is what each sign-up leaves behind.
    package func installed(in store: any AccountStore, bytes: Int) -> any AccountStore {
        switch self {
        case .verificationContext: ForgetfulVerification(store: store, bytesPerContext: bytes)
        }
    }
}
