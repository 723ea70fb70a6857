// The referral on one page, as a PDF to hand over or to fax.
import { html, useState } from "../platform/dom.js";
import { RadioChoice } from "../platform/form_fields.js";
import { saveFile } from "../platform/save_file.js";
import { announce, Problem } from "../platform/ui.js";
import { getPacketPdf } from "./referrals_api.js";

/** @type {[string, string][]} */
const NAMINGS = [
  ["name", "With the name"],
  ["alias", "With the alias only"],
];

/** The button that downloads the packet, and how the page names the patient. @param {{id: string}} properties */
export function PacketDownload({ id }) {
  const [naming, setNaming] = useState("name");
  const [isLoading, setLoading] = useState(false);
  const [failed, setFailed] = useState(/** @type {any} */ (null));
  const download = async () => {
    setLoading(true);
    try {
      saveFile(await getPacketPdf(id, naming), "referral-packet.pdf");
      setFailed(null);
      announce("Packet downloaded");
    } catch (problem) {
      setFailed(problem);
    }
    setLoading(false);
  };
  return html`<section class="card packet-download" aria-labelledby="packet-pdf">
    <h2 id="packet-pdf">Packet to hand over or fax</h2>
    <p class="small-text">One page with the referral as it is now. Each download is recorded in the audit trail.</p>
    <${RadioChoice} pointer="/packet_naming" label="Patient" options=${NAMINGS} value=${naming} onPick=${setNaming}
      hint=${naming === "alias" ? "Leaves out everything else that says who the patient is, and the note." : ""} />
    ${failed && html`<${Problem} problem=${failed} retry=${download}>${failed.code === "packet_unavailable" && failed.message}<//>`}
    <div class="buttons">
      <button type="button" disabled=${isLoading} onClick=${download}>Download packet (PDF)</button>
    </div>
  </section>`;
}
