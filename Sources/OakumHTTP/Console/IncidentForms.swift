import OakumModel

/// What can be done about an incident, as forms that work without script.
enum IncidentForms {
    static func markup(_ incident: Incident) -> Markup {
        let path = "/incidents/\(incident.id)"
        let number = IncidentShown.number(incident.id)
        let acknowledge: Markup =
            incident.state == .open
            ? """
            <form method="post" action="\(path)/acknowledge"><button class="button primary" type="submit">\
            Acknowledge \(number)</button></form>
            """ : ""
        let resolve: Markup =
            incident.state == .resolved
            ? ""
            : """
            <form method="post" action="\(path)/resolve" class="fields">
            <label class="wide">What ended it (may be empty)<input name="note" maxlength="1000"></label>
            <button class="button" type="submit">Resolve</button></form>
            """
        return """
            <section class="service" aria-labelledby="acts-title"><h2 id="acts-title">What you can do</h2>
            \(acknowledge)
            <form method="post" action="\(path)/note" class="fields">
            <label class="wide">Note<textarea name="text" rows="2" required maxlength="\(IncidentRoutes.textLimit)"></textarea></label>
            <button class="button" type="submit">Add the note</button></form>
            \(resolve)
            <form method="post" action="\(path)/silence" class="fields">
            <label>Silence for<select name="seconds"><option value="3600">1 hour</option><option value="14400">4 hours</option>\
            <option value="86400">1 day</option><option value="604800">1 week</option></select></label>
            <label>Why<input name="reason" required maxlength="1000"></label>
            <button class="button" type="submit">Silence</button></form>
            </section>
            """
    }
}
