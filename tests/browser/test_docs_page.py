"""The API reference in a browser: the script opens what an address names, and filters the list."""

from playwright.sync_api import expect


def test_an_address_opens_the_operation_that_it_names(browser, local_site):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{local_site}/docs#create_referral")

        expect(page.locator("#create_referral pre").first).to_be_visible()
        expect(page.locator("#list_events pre").first).to_be_hidden()


def test_the_filter_leaves_the_operations_with_the_text(browser, local_site):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{local_site}/docs")

        page.get_by_label("Filter operations").fill("packet.pdf")

        expect(page.locator(".route:visible")).to_have_count(1)


def test_without_scripts_an_operation_opens_with_a_click(browser, local_site):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{local_site}/docs")

        page.locator("#create_referral > summary").click()

        expect(page.locator("#create_referral pre").first).to_be_visible()
